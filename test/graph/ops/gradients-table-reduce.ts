import { concat, elementCount, mean, mul, square, sum } from "../../../src/graph/index.js";
import type { GradientCase } from "../../helpers/check-gradients.js";
import type { Family } from "./gradients-table-rows.js";

export const reduce = {
  sumOp: reductions(sum),
  meanOp: [
    ...reductions(mean),
    { about: "over an input's scaled axis", inputs: [["2*batch", 2]], f: (x) => mean(x, [0]) },
    { about: "over two symbolic axes", inputs: [["steps", "batch"]], f: (x) => mean(x) },
    { about: "over a scaled axis", inputs: [["batch", 2]], f: (x) => mean(concat([x, square(x)], 0), [0]) },
  ],
  elementCount: [{ about: "as a factor", inputs: [["batch", 2]], f: (x) => mul(x, elementCount(x, [0, 1])) }],
} satisfies Family;

function reductions(reduce: typeof sum): GradientCase[] {
  return [
    { about: "over all", inputs: [["batch", 2, 3]], f: (x) => reduce(x) },
    { about: "over the batch", inputs: [["batch", 2, 2]], f: (x) => reduce(x, [0]) },
    { about: "over the last, kept", inputs: [["batch", 4]], f: (x) => reduce(x, [-1], { keepdims: true }) },
    { about: "over two, unordered", inputs: [[2, 3, 4]], f: (x) => reduce(x, [2, 0]) },
    { about: "over two, kept", inputs: [[2, "batch", 2]], f: (x) => reduce(x, [1, -3], { keepdims: true }) },
  ];
}
