import { defineOp, type Op } from "../operator.js";
import type { Operand, Value } from "../value.js";
import { abs, add, div, exp, greater, log, mul, neg, square, sub, where } from "./elementwise.js";
import { sameAsInput } from "./infer.js";

/** tanh x. https://onnx.ai/onnx/operators/onnx__Tanh.html */
export const tanh = defineOp({
  type: "Tanh",
  pointwise: true,
  infer: sameAsInput,
  // d tanh(x) = 1 - y² = 4e / (1 + e)² with e = e^(-2|x|). ONNX Runtime's Tanh has an error of about 1e-7, which is
  // large compared with 1 - y² near ±1, the values of black and white pixels. Therefore compute it from x.
  vjp: ([x], _, g) => {
    const e = exp(mul(abs(x), -2));
    return [mul(div(mul(e, 4), square(add(e, 1))), g)];
  },
});

/** 1 / (1 + e⁻ˣ). https://onnx.ai/onnx/operators/onnx__Sigmoid.html */
export const sigmoid = defineOp({
  type: "Sigmoid",
  pointwise: true,
  infer: sameAsInput,
  // dσ(x) = y·(1 - y)
  vjp: (_, y, g) => [mul(mul(y, sub(1, y)), g)],
});

/**
 * ln(1 + eˣ) = max(x, 0) + ln(1 + e^(-|x|)), which is -ln σ(-x) without overflow. The error is about 1e-7, so the
 * result is 0 below -17.
 *
 * ONNX has a Softplus (https://onnx.ai/onnx/operators/onnx__Softplus.html), but ONNX Runtime's CPU kernel takes four
 * times as long as these seven passes, and WebGPU has no kernel. The gradient is σ(x)·g with σ written out: ONNX
 * Runtime's Sigmoid has an error of 1e-8, and Adam amplifies gradients much smaller than that to full steps.
 */
export const softplus = defineOp({
  type: "Softplus",
  infer: sameAsInput,
  vjp: ([x], _, g) => [sigmoidTimes(x, g)],
  lower: ([x]) => add(relu(x), log(add(exp(neg(abs(x))), 1))),
});

/** σ(x)·g, written out for softplus. */
const sigmoidTimes: Op<[x: Value, g: Value]> = defineOp<[x: Value, g: Value]>({
  type: "SigmoidTimes",
  infer: sameAsInput,
  // σ' = e / (1 + e)² with e = e^(-|x|). σ' is even, and nothing overflows.
  vjp: ([x, g], _, seed) => {
    const inX = () => {
      const e = exp(neg(abs(x)));
      return mul(mul(seed, g), div(e, square(add(e, 1))));
    };
    return [inX, () => sigmoidTimes(x, seed)];
  },
  // e⁻ˣ may overflow to ∞; g / ∞ is the correct 0.
  lower: ([x, g]) => div(g, add(exp(neg(x)), 1)),
});

/** min(max(x, low), high). https://onnx.ai/onnx/operators/onnx__Clip.html */
const clip = defineOp<[x: Value, low: Operand, high: Operand]>({
  type: "Clip",
  pointwise: true,
  infer: sameAsInput,
  vjp: null,
});

/**
 * The derivative of an activation that is x for x > 0 and has a slope in [0, 1) otherwise: 1 or the slope. It depends
 * on the sign of y, which is that of x: multiplied by 2^100, every positive normal number is above 1. (ONNX Runtime's
 * Sign takes six times as long as this pass. And if only the activation reads x, ONNX Runtime can fuse it with the
 * preceding product.)
 */
function slopeAt(y: Value, slope: number): Value {
  return clip(mul(y, 2 ** 100), slope, 1);
}

/** max(x, 0); the gradient at 0 is 0, as in PyTorch. https://onnx.ai/onnx/operators/onnx__Relu.html */
export const relu = defineOp({
  type: "Relu",
  pointwise: true,
  infer: sameAsInput,
  vjp: (_, y, g) => [mul(g, slopeAt(y, 0))],
});

export const leakyReluOp = defineOp<[x: Value], { alpha: "float" }>({
  type: "LeakyRelu",
  pointwise: true,
  attributes: { alpha: "float" },
  infer: sameAsInput,
  vjp: (_, y, g, { alpha }) => [mul(g, slopeAt(y, alpha))],
});

/**
 * x for x > 0, slope · x otherwise. The gradient at 0 is the slope, as in PyTorch.
 * https://onnx.ai/onnx/operators/onnx__LeakyRelu.html
 */
export function leakyRelu(x: Value, slope: number): Value {
  // The rule needs the sign of x and reads it from y. They agree only for these slopes.
  return slope >= 0 && slope < 1 ? leakyReluOp(x, { alpha: slope }) : where(greater(x, 0), x, mul(x, slope));
}
