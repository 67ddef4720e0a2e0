import {
  argMax,
  argMin,
  cast,
  concat,
  elementCount,
  l1Norm,
  l2Norm,
  logSum,
  logSumExp,
  max,
  mean,
  min,
  mul,
  prod,
  sign,
  square,
  stopGradient,
  sum,
  sumSquare,
  topK,
  type Value,
} from "../../../src/graph/index.js";
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
  maxOp: reductions(max),
  minOp: reductions(min),
  l1Norm: reductions(l1Norm),
  l2Norm: reductions(l2Norm),
  sumSquare: reductions(sumSquare),
  logSum: reductions(logSum).map((row) => ({ ...row, positive: true })),
  logSumExp: reductions(logSumExp),
  topKOp: [
    { about: "the two largest", inputs: [["batch", 4]], f: (x) => topK(x, 2).values },
    {
      about: "the smallest, in the middle",
      inputs: [[2, 3, 2]],
      f: (x) => topK(x, 1, 1, { largest: false }).values,
    },
  ],
  // Without a gradient: a factor that differences must not change.
  argMaxOp: [
    {
      about: "as a factor",
      inputs: [["batch", 3]],
      f: (x) => mul(x, double(argMax(x, 1, { keepdims: true }))),
    },
  ],
  argMinOp: [
    {
      about: "as a factor",
      inputs: [["batch", 3]],
      f: (x) => mul(x, double(argMin(x, 1, { keepdims: true }))),
    },
  ],
  prodOp: [{ about: "as a factor", inputs: [["batch", 2]], f: (x) => mul(x, stopGradient(prod(sign(x)))) }],
} satisfies Family;

function double(x: Value): Value {
  return cast(x, { to: "float64" });
}

function reductions(reduce: typeof sum): GradientCase[] {
  return [
    { about: "over all", inputs: [["batch", 2, 3]], f: (x) => reduce(x) },
    { about: "over the batch", inputs: [["batch", 2, 2]], f: (x) => reduce(x, [0]) },
    { about: "over the last, kept", inputs: [["batch", 4]], f: (x) => reduce(x, [-1], { keepdims: true }) },
    { about: "over two, unordered", inputs: [[2, 3, 4]], f: (x) => reduce(x, [2, 0]) },
    { about: "over two, kept", inputs: [[2, "batch", 2]], f: (x) => reduce(x, [1, -3], { keepdims: true }) },
  ];
}
