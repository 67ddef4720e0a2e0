import { defineOp, type Op } from "../operator.js";
import type { Value } from "../value.js";
import { exp, mul, sub } from "./elementwise.js";
import { normalizeAxis, sameAsInput } from "./infer.js";
import { sum } from "./reduce.js";
import { flatten, reshape } from "./reshape.js";

export const softmaxOp: Op<[x: Value], { axis: "int" }> = defineOp({
  type: "Softmax",
  attributes: { axis: "int" },
  infer: sameAsInput,
  // y·(g - Σ y·g): where y is 0, e.g. because of a mask of -∞, the gradient is 0 too.
  vjp: (_, y, g, { axis }) => [mul(y, sub(g, sum(mul(y, g), [axis], { keepdims: true })))],
});

export const logSoftmaxOp: Op<[x: Value], { axis: "int" }> = defineOp({
  type: "LogSoftmax",
  attributes: { axis: "int" },
  infer: sameAsInput,
  // g - softmax·Σ g
  vjp: (_, y, g, { axis }) => [sub(g, mul(exp(y), sum(g, [axis], { keepdims: true })))],
});

type AlongAxis = (x: Value, axis?: number) => Value;

const along =
  (op: Op<[x: Value], { axis: "int" }>, type: string): AlongAxis =>
  (x, axis = -1) =>
    op(x, { axis: normalizeAxis(type, axis, x.shape.length) });

/**
 * eˣ / Σ eˣ along an axis, without overflow. A row that contains only -∞ gives NaN, as in PyTorch.
 * https://onnx.ai/onnx/operators/onnx__Softmax.html
 */
export const softmax: AlongAxis = along(softmaxOp, "Softmax");

/** ln softmax(x) along an axis. https://onnx.ai/onnx/operators/onnx__LogSoftmax.html */
export const logSoftmax: AlongAxis = along(logSoftmaxOp, "LogSoftmax");

/** The definition of both before opset 13: over all axes from `axis` on together. */
export function flattened(f: AlongAxis, x: Value, axis = 1): Value {
  return reshape(f(flatten(x, axis), 1), x.shape);
}
