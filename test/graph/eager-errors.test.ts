import { expect, test } from "vitest";
import { GanOnnxError } from "../../src/error.js";
import {
  add,
  cast,
  concat,
  equal,
  expandLike,
  gemm,
  input,
  mean,
  mul,
  reshape,
  row,
  scalar,
  split,
  sum,
  transpose,
  type Value,
  where,
} from "../../src/graph/index.js";

const m = input("m", "float32", ["batch", 3]);
const n = input("n", "float32", [4, 2]);
const d = input("d", "float64", [3]);

test.each<[string, () => unknown, string]>([
  ["add", () => add(m, n), "Add: shapes do not broadcast: [batch, 3] and [4, 2]"],
  ["mul of two dtypes", () => mul(m, d), "Mul: dtypes differ: float32 and float64; cast() one of the inputs"],
  ["where", () => where(equal(m, m), m, d), "Where: dtypes differ: float32 and float64"],
  ["where without a bool", () => where(m, m, m), "Where: dtypes differ: float32 and bool"],
  ["gemm", () => gemm(m, n), "Gemm: inner dimensions differ: [batch, 3] and [4, 2]"],
  [
    "gemm of a vector",
    () => gemm(m, input("v", "float32", [3])),
    "Gemm: matrices are needed: [batch, 3] and [3]",
  ],
  [
    "gemm with C",
    () => gemm(n, n, { transB: true, c: input("c", "float32", [2]) }),
    "Gemm: C does not broadcast to the product: [2] and [4, 4]",
  ],
  ["reshape", () => reshape(m, ["batch", 4]), "Reshape: sizes differ: [batch, 3] and [batch, 4]"],
  [
    "reshape of two symbols",
    () => reshape(input("s", "float32", ["steps", "batch", 3]), ["steps", "batch", 4]),
    "Reshape: sizes differ: [steps, batch, 3] and [steps, batch, 4]",
  ],
  [
    "reshape that swaps symbols",
    () => reshape(input("s", "float32", ["steps", "batch"]), ["batch", "steps"]),
    "Reshape: two symbolic dimensions move: [steps, batch] and [batch, steps]",
  ],
  [
    "transpose",
    () => transpose(m, [0, 0]),
    "Transpose: [0, 0] is not a permutation of the axes of [batch, 3]",
  ],
  ["concat", () => concat([m, n], 1), "Concat: shapes do not join along axis 1: [batch, 3] and [4, 2]"],
  [
    "concat of dtypes",
    () => concat([m, cast(m, { to: "int32" })], 0),
    "Concat: dtypes differ: float32 and int32",
  ],
  ["split", () => split(m, 0, 2), "Split: axis 0 does not part into 2: [batch, 3]"],
  ["split by extents", () => split(m, 1, [1, 1]), "Split: axis 1 does not part into [1,1]: [batch, 3]"],
  ["expandLike", () => expandLike(m, n), "Expand: shapes do not broadcast: [batch, 3] and [4, 2]"],
  [
    "expandLike of more",
    () => expandLike(n, input("o", "float32", [1, 2])),
    "Expand: the first does not broadcast to the second: [4, 2] and [1, 2]",
  ],
  [
    "row",
    () => row(m, input("i", "int64", [2])),
    "Gather: a value with rows and a scalar index are needed: [batch, 3] and [2]",
  ],
  ["sum", () => sum(m, [2]), "Reduce: axis 2 of a value of rank 2; name an axis from -2 to 1"],
  ["mean", () => mean(scalar(1), [0]), "Reduce: axis 0 of a value of rank 0"],
  ["a missing value", () => add(m, undefined as unknown as Value), "Add: an input is not a value"],
])("%s", (_, make, message) => {
  expect(make).toThrow(GanOnnxError);
  expect(make).toThrow(message);
});

test("the error points at the caller's line", () => {
  const wrongLine = () => add(m, n);
  expect(() => wrongLine()).toThrow(expect.objectContaining({ stack: expect.stringContaining("wrongLine") }));
});
