import {
  cast,
  constant,
  gather,
  gatherElements,
  mul,
  reshape,
  row,
  scalar,
  scatterElements,
  stopGradient,
  type Value,
} from "../../../src/graph/index.js";
import type { GradientCase } from "../../helpers/check-gradients.js";
import type { Family } from "./gradients-table-rows.js";

const int64 = (shape: readonly number[], ...numbers: number[]) =>
  constant("int64", shape, BigInt64Array.from(numbers, BigInt));
const int32 = (shape: readonly number[], ...numbers: number[]) =>
  constant("int32", shape, Int32Array.from(numbers));
/** The number of a row, from -1 to 1, whatever x holds. */
const numbersOf = (x: Value) => cast(stopGradient(mul(x, 1.5)), { to: "int64" });

const gathers: GradientCase[] = [
  { about: "a row", inputs: [[3, "batch", 2]], f: (x) => row(x, scalar(1, "int64")) },
  { about: "an element", inputs: [[3]], f: (x) => row(x, scalar(2, "int64")) },
  {
    about: "two rows",
    inputs: [[2, 2]],
    f: (x) => mul(row(x, scalar(0, "int64")), row(x, scalar(1, "int64"))),
  },
  { about: "rows, some twice, from the end", inputs: [[3, 2]], f: (x) => gather(x, int64([3], 2, 0, -1), 0) },
  { about: "columns by a table", inputs: [["batch", 3]], f: (x) => gather(x, int32([2, 2], 0, 1, 1, -3), 1) },
  { about: "in the middle", inputs: [["batch", 3, 2]], f: (x) => gather(x, int64([2], 2, 1), -2) },
  { about: "of a batch", inputs: [["batch", 2]], f: (x) => gather(x, int64([4], 0, 1, 1, 0), 0) },
  {
    about: "by an index of a batch",
    inputs: [[3, 2], ["batch"]],
    f: (x, y) => mul(gather(x, numbersOf(y), 0), reshape(y, ["batch", 1])),
  },
  {
    about: "by an index of steps and a batch",
    inputs: [[3], ["steps", "batch"]],
    f: (x, y) => mul(gather(x, numbersOf(y), 0), y),
  },
];

const elementGathers: GradientCase[] = [
  {
    about: "columns, some twice",
    inputs: [[2, 3]],
    f: (x) => gatherElements(x, int64([2, 3], 2, 2, 0, 1, -3, 1), 1),
  },
  {
    about: "fewer columns than there are",
    inputs: [[3, 3]],
    f: (x) => gatherElements(x, int32([1, 2], 2, 0), 0),
  },
  { about: "of a batch", inputs: [["batch", 2]], f: (x) => gatherElements(x, numbersOf(x), 1) },
];

const scatters: GradientCase[] = [
  {
    about: "added, some twice",
    inputs: [
      [2, 3],
      [2, 2],
    ],
    f: (x, updates) => scatterElements(x, int64([2, 2], 2, 2, 0, -2), updates, 1, "add"),
  },
  {
    about: "written over",
    inputs: [
      [3, 2],
      [2, 2],
    ],
    f: (x, updates) => scatterElements(x, int64([2, 2], 2, 0, 0, -2), updates, 0),
  },
];

export const gathering = {
  gatherOp: gathers,
  gatherElementsOp: elementGathers,
  scatterElementsOp: scatters,
  row: [{ about: "the first", inputs: [[3, 2]], f: (x) => row(x, scalar(0, "int64")) }],
} satisfies Family;
