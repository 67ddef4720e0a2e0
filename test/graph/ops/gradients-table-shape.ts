import {
  add,
  cast,
  concat,
  expandLike,
  extentOf,
  mul,
  neg,
  onesLike,
  reshape,
  shapeOf,
  split,
  square,
  transpose,
  type Value,
  zerosLike,
} from "../../../src/graph/index.js";
import type { Family } from "./gradients-table-rows.js";

export const shape = {
  reshapeOp: [
    { about: "flattened", inputs: [["batch", 2, 3]], f: (x) => reshape(x, ["batch", 6]) },
    { about: "the batch moves", inputs: [["batch", 2, 2]], f: (x) => reshape(x, ["2*batch", 2]) },
    {
      about: "two symbols stay",
      inputs: [["steps", "batch", 4]],
      f: (x) => reshape(x, ["steps", "batch", 2, 2]),
    },
    { about: "to a scalar", inputs: [[1, 1]], f: (x) => reshape(x, []) },
  ],
  transposeOp: [
    { about: "a matrix", inputs: [["batch", 4]], f: (x) => transpose(x, [1, 0]) },
    // Its own inverse is another permutation, so an inverted one shows.
    { about: "a cycle", inputs: [["batch", 2, 4]], f: (x) => transpose(x, [2, 0, 1]) },
    { about: "negative axes", inputs: [[2, 3, 1, 2]], f: (x) => transpose(x, [-1, 0, -2, 1]) },
  ],
  expandOp: [
    {
      about: "rows",
      inputs: [
        [1, 2],
        ["batch", 2],
      ],
      f: (x, like) => mul(expandLike(x, like), like),
    },
    {
      about: "to a higher rank",
      inputs: [
        [2, 1],
        [3, 2, 2],
      ],
      f: (x, like) => mul(expandLike(x, like), like),
    },
    { about: "a scalar", inputs: [[], ["steps", "batch"]], f: (x, like) => mul(expandLike(x, like), like) },
  ],
  concatOp: [
    {
      about: "numbers of columns differ",
      inputs: [
        ["batch", 1],
        ["batch", 3],
      ],
      f: (a, b) => concat([a, b], 1),
    },
    {
      about: "along the batch",
      inputs: [
        ["batch", 2],
        ["batch", 2],
      ],
      f: (a, b) => concat([a, b], 0),
    },
    {
      about: "a negative axis, three parts",
      inputs: [
        [2, 2],
        [2, 1],
      ],
      f: (a, b) => concat([a, b, a], -1),
    },
  ],
  split: [
    {
      about: "eleven parts, some small",
      inputs: [[17]],
      f: (x) =>
        concat(
          split(x, 0, [3, 1, 1, 1, 2, 1, 1, 1, 1, 2, 3])
            .toReversed()
            .map((part, i) => mul(part, i + 1)),
          0,
        ),
    },
    {
      about: "nine equal parts",
      inputs: [["batch", 9]],
      f: (x) => concat(split(x, 1, 9).toReversed(), 0),
    },
  ],
  splitOp: [
    {
      about: "equal parts of the batch",
      inputs: [["batch", 2]],
      f: (x) => spliced(split(concat([x, neg(x)], 0), 0, 2)),
    },
    { about: "unequal parts", inputs: [["batch", 4]], f: (x) => spliced(split(x, 1, [1, 3])) },
    { about: "a part that nothing reads", inputs: [[2, 6]], f: (x) => split(x, -1, 3)[1] },
    {
      about: "a part read twice",
      inputs: [[5]],
      f: (x) => concat([...split(x, 0, [2, 3]), split(x, 0, [2, 3])[0]], 0),
    },
  ],
  shapeOp: [
    {
      about: "as a factor",
      inputs: [["batch", 2]],
      f: (x) => mul(x, cast(shapeOf(x), { to: "float64" })),
    },
  ],
  extentOf: [
    {
      about: "as a factor",
      inputs: [["batch", 2]],
      f: (x) => mul(x, cast(extentOf(x, 0), { to: "float64" })),
    },
  ],
  expandLike: [
    { about: "a row", inputs: [[2], ["batch", 2]], f: (x, like) => mul(expandLike(x, like), like) },
  ],
  shapeOf: [
    { about: "as a factor", inputs: [["batch", 2]], f: (x) => mul(x, cast(shapeOf(x), { to: "float64" })) },
  ],
  zerosLike: [{ about: "as a term", inputs: [["batch", 2]], f: (x) => add(x, zerosLike(x)) }],
  onesLike: [{ about: "as a factor", inputs: [["batch", 2]], f: (x) => mul(x, onesLike(x)) }],
} satisfies Family;

/** Something that every part counts in differently. */
function spliced([a, b]: readonly Value[]): Value {
  return add(mul(a, b), square(a));
}
