import type { Operand, Value } from "../value.js";
import { clip } from "./arithmetic.js";
import { add, greater, mul, sub, where } from "./elementwise.js";
import { less } from "./logic.js";

/**
 * x for x > 0, slope · x otherwise. The slopes broadcast to x: [channels, 1, 1] for images. The gradient at 0 is the
 * slope, as in PyTorch. https://onnx.ai/onnx/operators/onnx__PRelu.html
 */
export function prelu(x: Value, slope: Operand): Value {
  return where(greater(x, 0), x, mul(x, slope));
}

/** α·x + β, clipped to [0, 1]. https://onnx.ai/onnx/operators/onnx__HardSigmoid.html */
export function hardSigmoid(x: Value, alpha = 0.2, beta = 0.5): Value {
  return clip(add(mul(x, alpha), beta), 0, 1);
}

/** x · hardSigmoid(x, 1/6, 1/2). https://onnx.ai/onnx/operators/onnx__HardSwish.html */
export function hardSwish(x: Value): Value {
  return mul(x, hardSigmoid(x, 1 / 6));
}

/** x for x > α, 0 otherwise. https://onnx.ai/onnx/operators/onnx__ThresholdedRelu.html */
export function thresholdedRelu(x: Value, alpha = 1): Value {
  return where(greater(x, alpha), x, 0);
}

/** x + bias for x < -λ, x - bias for x > λ, 0 otherwise. https://onnx.ai/onnx/operators/onnx__Shrink.html */
export function shrink(x: Value, bias = 0, lambda = 0.5): Value {
  return where(less(x, -lambda), add(x, bias), where(greater(x, lambda), sub(x, bias), 0));
}
