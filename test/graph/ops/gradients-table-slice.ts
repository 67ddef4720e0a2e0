import {
  add,
  expand,
  flatten,
  mul,
  pad,
  repeatEach,
  slice,
  square,
  squeeze,
  tile,
  unsqueeze,
  type Value,
} from "../../../src/graph/index.js";
import type { Family } from "./gradients-table-rows.js";

const FAR = 2 ** 31 - 1;
const range = (axis: number, start: number, end: number, step = 1) => ({ axis, start, end, step });

export const slices = {
  sliceOp: [
    { about: "columns", inputs: [["batch", 4]], f: (x) => slice(x, [range(1, 1, 3)]) },
    {
      about: "from the end, two axes",
      inputs: [[3, 4]],
      f: (x) => slice(x, [range(-1, -3, FAR), range(0, 0, -1)]),
    },
    { about: "every other", inputs: [["batch", 5]], f: (x) => slice(x, [range(1, 0, FAR, 2)]) },
    { about: "every third, not from the first", inputs: [[2, 7]], f: (x) => slice(x, [range(1, 1, 6, 3)]) },
    { about: "backwards", inputs: [["batch", 4]], f: (x) => slice(x, [range(1, -1, -FAR, -1)]) },
    { about: "backwards, every other", inputs: [[6]], f: (x) => slice(x, [range(0, 4, 0, -2)]) },
    { about: "the batch backwards", inputs: [["batch", 2]], f: (x) => slice(x, [range(0, -1, -FAR, -1)]) },
    {
      about: "all of a batch but the first and the last",
      inputs: [["batch", 2]],
      f: (x) => slice(x, [{ axis: 0, start: 1, end: -1, extent: 1 }]),
    },
    {
      about: "one row, twice",
      inputs: [[2, 3]],
      f: (x) => mul(slice(x, [range(0, 0, 1)]), slice(x, [range(0, 1, 2)])),
    },
  ],
  padOp: [
    {
      about: "zeros",
      inputs: [["batch", 2]],
      f: (x) =>
        add(
          pad(x, [
            [0, 0],
            [1, 2],
          ]),
          0.5,
        ),
    },
    {
      about: "a number",
      inputs: [[2, 2]],
      f: (x) =>
        square(
          pad(
            x,
            [
              [1, 0],
              [0, 2],
            ],
            "constant",
            1.5,
          ),
        ),
    },
    {
      about: "a value",
      inputs: [["batch", 2], []],
      f: (x, v) =>
        pad(
          x,
          [
            [0, 0],
            [1, 2],
          ],
          "constant",
          v,
        ),
    },
  ],
  pad: [
    {
      about: "fewer",
      inputs: [["batch", 4]],
      f: (x) =>
        pad(x, [
          [0, 0],
          [-1, -2],
        ]),
    },
    { about: "fewer and more", inputs: [[4]], f: (x) => pad(x, [[-1, 2]], "constant", 1) },
    {
      about: "mirrored",
      inputs: [["batch", 3, 2]],
      f: (x) =>
        pad(
          x,
          [
            [0, 0],
            [2, 1],
            [1, 0],
          ],
          "reflect",
        ),
    },
    {
      about: "borders",
      inputs: [["batch", 2, 2]],
      f: (x) =>
        pad(
          x,
          [
            [0, 0],
            [2, 1],
            [0, 3],
          ],
          "edge",
        ),
    },
    {
      about: "periodic",
      inputs: [["batch", 3]],
      f: (x) =>
        pad(
          x,
          [
            [0, 0],
            [2, 1],
          ],
          "wrap",
        ),
    },
  ],
  squeezeOp: [
    { about: "one axis", inputs: [["batch", 1, 2, 1]], f: (x) => squeeze(x, [1]) },
    { about: "all of extent 1", inputs: [["steps", 1, "batch", 1]], f: (x) => squeeze(x) },
  ],
  unsqueezeOp: [{ about: "two symbols", inputs: [["steps", "batch"]], f: (x) => unsqueeze(x, [-1, 0]) }],
  flatten: [
    { about: "images", inputs: [["batch", 2, 1, 2]], f: (x) => flatten(x) },
    { about: "from the last axis on", inputs: [[2, 3, 2]], f: (x) => flatten(x, -1) },
    { about: "all", inputs: [["batch", 2]], f: (x) => flatten(x, 0) },
  ],
  expand: [
    { about: "a row to a matrix", inputs: [[3]], f: (x) => expand(x, [2, 3]) },
    { about: "columns of a batch", inputs: [["batch", 1, 2]], f: (x) => expand(x, [2, "batch", 3, 2]) },
  ],
  tile: [
    { about: "two axes", inputs: [["batch", 2, 1]], f: (x) => tile(x, [1, 2, 3]) },
    { about: "the batch", inputs: [["batch", 2]], f: (x) => tile(x, [2, 1]) },
    { about: "nothing", inputs: [[2]], f: (x: Value) => square(tile(x, [1])) },
  ],
  repeatEach: [
    { about: "pixels", inputs: [["batch", 1, 2, 2]], f: (x) => repeatEach(x, [1, 1, 2, 3]) },
    { about: "the batch", inputs: [["batch", 2]], f: (x) => repeatEach(x, [2, 1]) },
  ],
} satisfies Family;
