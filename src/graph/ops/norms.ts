import { abs, add, equal, exp, log, sqrt, square, sub, where } from "./elementwise.js";
import { max } from "./extremes.js";
import { isInfOp } from "./logic.js";
import { sum } from "./reduce.js";
import type { Reduction } from "./reduction.js";
import { reshape } from "./reshape.js";
import { stopGradient } from "./stop-gradient.js";

/** Σ |x| over some axes, or over all. https://onnx.ai/onnx/operators/onnx__ReduceL1.html */
export const l1Norm: Reduction = (x, axes, options) => sum(abs(x), axes, options);

/** Σ x². https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html */
export const sumSquare: Reduction = (x, axes, options) => sum(square(x), axes, options);

/** √Σ x²; the gradient at 0 is 0, as in PyTorch. https://onnx.ai/onnx/operators/onnx__ReduceL2.html */
export const l2Norm: Reduction = (x, axes, options) => {
  const total = sumSquare(x, axes, options);
  const none = equal(total, 0);
  return where(none, 0, sqrt(where(none, 1, total)));
};

/** ln Σ x. https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html */
export const logSum: Reduction = (x, axes, options) => log(sum(x, axes, options));

/** ln Σ eˣ, without overflow. https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html */
export const logSumExp: Reduction = (x, axes, options) => {
  const largest = stopGradient(max(x, axes, { keepdims: true }));
  const shift = where(isInfOp(largest, { detect_negative: 1, detect_positive: 1 }), 0, largest);
  const total = log(sum(exp(sub(x, shift)), axes, options));
  return add(total, reshape(shift, total.shape));
};
