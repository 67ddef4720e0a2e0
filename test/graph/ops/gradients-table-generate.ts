import {
  add,
  cast,
  constant,
  cumSum,
  einsum,
  eyeLike,
  gatherND,
  greater,
  matmul,
  mul,
  negativeLogLikelihood,
  oneHotEncode,
  positions,
  range,
  rangeOp,
  reshape,
  scalar,
  scatterND,
  softmaxCrossEntropy,
  stopGradient,
  trilu,
  type Value,
} from "../../../src/graph/index.js";
import type { GradientCase } from "../../helpers/check-gradients.js";
import type { Family } from "./gradients-table-rows.js";

const int64 = (shape: readonly number[], ...numbers: number[]) =>
  constant("int64", shape, BigInt64Array.from(numbers, BigInt));
const double = (x: Value) => cast(x, { to: "float64" });
/** A class or place, 0 or 1, whatever x holds. */
const choice = (x: Value) => cast(greater(stopGradient(x), 0), { to: "int64" });
const [one, zero] = [scalar(1, "float64"), scalar(0, "float64")];
const label = "a label for each of the batch";

const sums: readonly (readonly [equation: string, ...GradientCase["inputs"]])[] = [
  ["ij,jk->ik", ["batch", 2], [2, 3]],
  ["bij,bkj->bik", ["batch", 2, 2], ["batch", 3, 2]],
  ["bqhd,bkhd->bhqk", ["batch", 2, 1, 2], ["batch", 2, 1, 2]],
  ["ij,kl->jlik", [2, 1], [1, 2]],
  ["...ij,...j", ["batch", 2, 2], ["batch", 2]],
  ["bi,bi->b", ["batch", 3], ["batch", 3]],
  ["ik,jk,kl->ijl", [2, 2], [1, 2], [2, 2]],
  ["ij->j", ["batch", 2]],
  ["ii->i", [3, 3]],
  ["bii", ["batch", 2, 2]],
  ["ijk,kjl->il", [2, 2, 2], [2, 2, 1]],
];

export const generating = {
  rangeOp: [
    {
      about: "as a factor",
      inputs: [["batch", 2]],
      f: (x) =>
        mul(x, double(rangeOp(scalar(1, "int64"), scalar(3, "int64"), scalar(1, "int64"), { to: [2] }))),
    },
  ],
  range: [{ about: "as a factor", inputs: [["batch", 2]], f: (x) => mul(x, double(range(1, 3))) }],
  positions: [
    { about: "of a batch", inputs: [["batch", 2]], f: (x) => mul(x, double(positions(x, 0))) },
    { about: "of columns", inputs: [["batch", 2]], f: (x) => mul(x, double(positions(x, 1))) },
  ],
  trilu: [
    { about: "above", inputs: [["batch", 3, 3]], f: (x) => trilu(x, { k: 1 }) },
    {
      about: "below, of a batch",
      inputs: [["batch", 3]],
      f: (x) => trilu(x, { upper: false, k: int64([], 0) }),
    },
  ],
  eyeLike: [{ about: "as a factor", inputs: [[2, 3]], f: (x) => add(x, mul(x, eyeLike(x, { k: 1 }))) }],
  oneHotEncode: [
    {
      about: "on and off",
      inputs: [["batch"], []],
      f: (x, on) => mul(reshape(x, ["batch", 1]), oneHotEncode(choice(x), 2, { on, off: mul(on, on) })),
    },
    {
      about: "picks rows",
      inputs: [["batch"], [2, 2]],
      f: (x, table) =>
        mul(reshape(x, ["batch", 1]), matmul(oneHotEncode(choice(x), 2, { on: one, off: zero }), table)),
    },
  ],
  cumSumOp: [
    { about: "columns", inputs: [["batch", 3]], f: (x) => cumSum(x, 1) },
    { about: "the batch, exclusive", inputs: [["batch", 2]], f: (x) => cumSum(x, 0, { exclusive: true }) },
    { about: "from the end", inputs: [[2, 3]], f: (x) => cumSum(x, -1, { reverse: true }) },
    {
      about: "exclusive, from the end",
      inputs: [[3]],
      f: (x) => cumSum(x, 0, { exclusive: true, reverse: true }),
    },
  ],
  gatherNDOp: [
    {
      about: "elements, one twice",
      inputs: [[2, 3]],
      f: (x) => gatherND(x, int64([3, 2], 0, 1, 1, -1, 0, 1)),
    },
    { about: "rows", inputs: [[3, 2]], f: (x) => gatherND(x, int64([2, 1, 1], 2, 0)) },
    {
      about: "an element for each of a batch",
      inputs: [["batch", 2, 2]],
      f: (x) => gatherND(x, choice(x), 1),
    },
  ],
  scatterNDOp: [
    {
      about: "added, one twice",
      inputs: [[2, 3], [3]],
      f: (x, updates) => scatterND(x, int64([3, 2], 0, 1, 1, 2, 0, 1), updates, "add"),
    },
    {
      about: "rows written over",
      inputs: [
        [3, 2],
        [2, 2],
      ],
      f: (x, updates) => scatterND(x, int64([2, 1], 2, 0), updates),
    },
  ],
  einsum: sums.map(([equation, ...inputs]) => ({
    about: equation,
    inputs,
    f: (...xs) => einsum(equation, xs),
  })),
  negativeLogLikelihood: [
    {
      about: label,
      inputs: [["batch", 2], ["batch"]],
      f: (x, y) => mul(y, negativeLogLikelihood(x, choice(y))),
    },
    {
      about: "weights, and a class ignored",
      inputs: [["batch", 3, 2], ["batch", 2], [3]],
      f: (x, y, weight) => mul(y, negativeLogLikelihood(x, choice(y), { weight, ignoreIndex: 2 })),
    },
    {
      about: "weights, each loss",
      inputs: [["batch", 2], ["batch"], [2]],
      f: (x, y, weight) => mul(y, negativeLogLikelihood(x, choice(y), { weight, reduction: "none" })),
    },
  ],
  softmaxCrossEntropy: [
    {
      about: label,
      inputs: [["batch", 2], ["batch"]],
      f: (x, y) => mul(y, softmaxCrossEntropy(x, choice(y)).loss),
    },
    {
      about: "pixels, summed, a class ignored",
      inputs: [
        ["batch", 2, 2],
        ["batch", 2],
      ],
      f: (x, y) => mul(y, softmaxCrossEntropy(x, choice(y), { ignoreIndex: 0, reduction: "sum" }).loss),
    },
  ],
} satisfies Family;
