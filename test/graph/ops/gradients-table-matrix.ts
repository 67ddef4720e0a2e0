import { gemm, sum, type Value } from "../../../src/graph/index.js";
import type { GradientCase } from "../../helpers/check-gradients.js";
import type { Family } from "./gradients-table-rows.js";

export const matrix = {
  gemmOp: gemms(),
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
