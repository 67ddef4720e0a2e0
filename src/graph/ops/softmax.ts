import { defineOp, type Op } from "../operator.js";
import type { Value } from "../value.js";
import { exp, log, mul, sub } from "./elementwise.js";
import { max } from "./extremes.js";
import { normalizeAxis, sameAsInput } from "./infer.js";
import { sum } from "./reduce.js";
import { flatten, reshape } from "./reshape.js";
import { stopGradient } from "./stop-gradient.js";

export const softmaxOp: Op<[x: Value], { axis: "int" }> = defineOp({
  type: "Softmax",
  attributes: { axis: "int" },
  infer: sameAsInput,
  // y·(g - Σ y·g): where y is 0, e.g. because of a mask of -∞, the gradient is 0 too.
  vjp: (_, y, g, { axis }) => [mul(y, sub(g, sum(mul(y, g), [axis], { keepdims: true })))],
});

type AlongAxis = (x: Value, axis?: number) => Value;

/**
 * eˣ / Σ eˣ along an axis, without overflow. A row that contains only -∞ gives NaN, as in PyTorch.
 * https://onnx.ai/onnx/operators/onnx__Softmax.html
 */
export const softmax: AlongAxis = (x, axis = -1) =>
  softmaxOp(x, { axis: normalizeAxis("Softmax", axis, x.shape.length) });

/**
 * ln softmax(x) along an axis: x - m - ln Σ exp(x - m), where m is the largest x. It consists of other operators,
 * because WebGPU has no kernel for LogSoftmax (ONNX Runtime 1.30).
 * https://onnx.ai/onnx/operators/onnx__LogSoftmax.html
 */
export const logSoftmax: AlongAxis = (x, axis = -1) => {
  const axes = [normalizeAxis("LogSoftmax", axis, x.shape.length)];
  const shifted = sub(x, stopGradient(max(x, axes, { keepdims: true })));
  return sub(shifted, log(sum(exp(shifted), axes, { keepdims: true })));
};

/** The definition of both before opset 13: over all axes from `axis` on together. */
export function flattened(f: AlongAxis, x: Value, axis = 1): Value {
  return reshape(f(flatten(x, axis), 1), x.shape);
}
