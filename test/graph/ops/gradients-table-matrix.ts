import { flattened, gemm, logSoftmax, matmul, softmax, sum, type Value } from "../../../src/graph/index.js";
import type { GradientCase } from "../../helpers/check-gradients.js";
import type { Family } from "./gradients-table-rows.js";

export const matrix = {
  gemmOp: gemms(),
  matmulOp: [
    {
      about: "matrices",
      inputs: [
        ["batch", 3],
        [3, 2],
      ],
      f: matmul,
    },
    {
      about: "a batch",
      inputs: [
        ["batch", 2, 3],
        ["batch", 3, 2],
      ],
      f: matmul,
    },
    {
      about: "one matrix for a batch",
      inputs: [
        ["batch", 2, 3],
        [3, 2],
      ],
      f: matmul,
    },
    {
      about: "one matrix for steps and a batch",
      inputs: [
        ["steps", "batch", 2],
        [2, 2],
      ],
      f: matmul,
    },
    {
      about: "one matrix before a batch",
      inputs: [
        [2, 3],
        ["batch", 3, 1],
      ],
      f: matmul,
    },
    {
      about: "two axes that broadcast",
      inputs: [
        ["batch", 1, 1, 2],
        [2, 2, 2],
      ],
      f: matmul,
    },
    { about: "a vector on the left", inputs: [[3], [2, 3, 2]], f: matmul },
    { about: "a vector on the right", inputs: [["batch", 2, 3], [3]], f: matmul },
    { about: "two vectors", inputs: [[3], [3]], f: matmul },
    { about: "a matrix with itself", inputs: [[2, 2, 2]], f: (a) => matmul(a, a) },
  ],
  softmaxOp: [
    { about: "the last axis", inputs: [["batch", 3]], f: (x) => softmax(x) },
    { about: "channels", inputs: [["batch", 3, 2]], f: (x) => softmax(x, 1) },
  ],
  logSoftmax: [
    { about: "the last axis", inputs: [["batch", 3]], f: (x) => logSoftmax(x) },
    { about: "channels", inputs: [["batch", 3, 2]], f: (x) => logSoftmax(x, 1) },
  ],
  flattened: [
    { about: "softmax", inputs: [["batch", 2, 2]], f: (x) => flattened(softmax, x) },
    { about: "logarithm, from another axis on", inputs: [[2, 2, 2]], f: (x) => flattened(logSoftmax, x, 2) },
  ],
} satisfies Family;

function gemms(): GradientCase[] {
  const orders = [false, true].flatMap((transA) => [false, true].map((transB) => ({ transA, transB })));
  const turned = (shape: readonly (string | number)[], turn: boolean) => (turn ? shape.toReversed() : shape);
  return [
    ...orders.map(({ transA, transB }) => ({
      about: `A${transA ? "ᵀ" : ""}·B${transB ? "ᵀ" : ""} + C, alpha and beta`,
      inputs: [turned(["batch", 2], transA), turned([2, 4], transB), [4]],
      f: (a: Value, b: Value, c: Value) => gemm(a, b, { c, transA, transB, alpha: 0.5, beta: -1.5 }),
    })),
    { about: "the sum of rows", inputs: [["batch", 2]], f: (x) => sum(x, [0]) },
    { about: "the sum of rows, kept", inputs: [[3, 2]], f: (x) => sum(x, [0], { keepdims: true }) },
    {
      about: "without C",
      inputs: [
        ["batch", 2],
        [2, 3],
      ],
      f: (a, b) => gemm(a, b),
    },
    {
      about: "C a column",
      inputs: [
        [3, 2],
        [2, 2],
        [3, 1],
      ],
      f: (a, b, c) => gemm(a, b, { c }),
    },
    { about: "C a scalar", inputs: [[3, 2], [2, 2], []], f: (a, b, c) => gemm(a, b, { c, beta: 2 }) },
    {
      about: "C a matrix",
      inputs: [
        ["batch", 2],
        [2, 2],
        ["batch", 2],
      ],
      f: (a, b, c) => gemm(a, b, { c }),
    },
    { about: "a matrix with itself", inputs: [[2, 2]], f: (a) => gemm(a, a, { transB: true }) },
  ];
}
