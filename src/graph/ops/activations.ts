import { GanOnnxError } from "../../error.js";
import { defineOp } from "../operator.js";
import type { Value } from "../value.js";
import { abs, add, cast, div, exp, greater, maximum, mul, neg, square, sub } from "./elementwise.js";
import { sameAsInput } from "./infer.js";

/** tanh x. https://onnx.ai/onnx/operators/onnx__Tanh.html */
export const tanh = defineOp({
  type: "Tanh",
  infer: sameAsInput,
  // d tanh(x) = 1 - y² = 4e / (1 + e)² with e = e^(-2|x|). ONNX Runtime's Tanh is exact to some 1e-7 only, and near
  // ±1, where black and white pixels are, that is much of what 1 - y² leaves.
  vjp: ([x], _, g) => {
    const e = exp(mul(abs(x), -2));
    return [mul(div(mul(e, 4), square(add(e, 1))), g)];
  },
});

/** 1 / (1 + e⁻ˣ). https://onnx.ai/onnx/operators/onnx__Sigmoid.html */
export const sigmoid = defineOp({
  type: "Sigmoid",
  infer: sameAsInput,
  // dσ(x) = y·(1 - y)
  vjp: (_, y, g) => [mul(mul(y, sub(1, y)), g)],
});

/** ln(1 + eˣ), which is -ln σ(-x) without overflow. https://onnx.ai/onnx/operators/onnx__Softplus.html */
export const softplus = defineOp({
  type: "Softplus",
  infer: sameAsInput,
  // σ(x)·g with σ written out: ONNX Runtime's Sigmoid is exact to 1e-8 only, while Adam makes steps of the same size
  // from gradients far smaller than that. e⁻ˣ may overflow; g / ∞ is the right 0.
  vjp: ([x], _, g) => [div(g, add(exp(neg(x)), 1))],
});

/** max(0, min(1, alpha·x + beta)). https://onnx.ai/onnx/operators/onnx__HardSigmoid.html */
export const hardSigmoidOp = defineOp<[x: Value], { alpha: "float"; beta: "float" }>({
  type: "HardSigmoid",
  attributes: { alpha: "float", beta: "float" },
  infer: sameAsInput,
  vjp: null,
});

/**
 * 1 above zero, 0 elsewhere, without a gradient. In float32 it is a hard sigmoid so steep that only numbers below 1e-30
 * are in between: one pass, faster than Sign's on the CPU, and WebGPU has no kernel for Sign. ONNX Runtime's CPU has no
 * HardSigmoid for float64.
 */
export function step(x: Value): Value {
  return x.dtype === "float32"
    ? hardSigmoidOp(x, { alpha: 1e30, beta: 0 })
    : cast(greater(x, 0), { to: x.dtype });
}

/** max(x, 0); the gradient at 0 is 0, as in PyTorch. https://onnx.ai/onnx/operators/onnx__Relu.html */
export const relu = defineOp({
  type: "Relu",
  infer: sameAsInput,
  vjp: (_, y, g) => [mul(g, step(y))],
});

export const leakyReluOp = defineOp<[x: Value], { alpha: "float" }>({
  type: "LeakyRelu",
  attributes: { alpha: "float" },
  infer: sameAsInput,
  // max(step(x), α) is 1 above zero and α elsewhere, as long as 0 <= α < 1.
  vjp: ([x], _, g, { alpha }) => [mul(g, maximum(step(x), alpha))],
});

/**
 * x above zero, slope · x elsewhere; the gradient at 0 is the slope, as in PyTorch.
 * https://onnx.ai/onnx/operators/onnx__LeakyRelu.html. Throws unless 0 <= slope < 1.
 */
export function leakyRelu(x: Value, slope: number): Value {
  if (!(slope >= 0 && slope < 1)) {
    throw new GanOnnxError({ what: `slope ${slope}`, where: "leakyRelu", fix: "choose a slope in [0, 1)" });
  }
  return leakyReluOp(x, { alpha: slope });
}
