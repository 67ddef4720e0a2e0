import { defineOp, type Op } from "../operator.js";
import type { Value } from "../value.js";
import { sigmoid, softplus, tanh } from "./activations.js";
import { erf } from "./elementary.js";
import { abs, add, div, greater, mul, where } from "./elementwise.js";
import { sameAsInput } from "./infer.js";

export const eluOp: Op<[x: Value], { alpha: "float" }> = defineOp({
  type: "Elu",
  pointwise: true,
  attributes: { alpha: "float" },
  infer: sameAsInput,
  // α·eˣ = y + α
  vjp: ([x], y, g, { alpha }) => [where(greater(x, 0), g, mul(g, add(y, alpha)))],
});

/** x for x > 0, α·(eˣ - 1) otherwise. https://onnx.ai/onnx/operators/onnx__Elu.html */
export function elu(x: Value, alpha = 1): Value {
  return eluOp(x, { alpha });
}

/** The constants of Klambauer et al. 2017, https://arxiv.org/abs/1706.02515, as in ONNX. */
const SELU = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 } as const;

/** γ·elu(x, α). https://onnx.ai/onnx/operators/onnx__Selu.html */
export function selu(
  x: Value,
  { alpha, gamma }: { readonly alpha: number; readonly gamma: number } = SELU,
): Value {
  return mul(elu(x, alpha), gamma);
}

/** x for x > 0, α·(e^(x/α) - 1) otherwise. https://onnx.ai/onnx/operators/onnx__Celu.html */
export function celu(x: Value, alpha = 1): Value {
  return alpha === 1 ? elu(x) : mul(elu(div(x, alpha)), alpha);
}

/**
 * x·Φ(x), where Φ is the distribution function of the normal distribution: ½·x·(1 + erf(x/√2)). `tanh` approximates it
 * as ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))). https://onnx.ai/onnx/operators/onnx__Gelu.html
 */
export function gelu(x: Value, approximate: "none" | "tanh" = "none"): Value {
  const inner =
    approximate === "none"
      ? erf(mul(x, Math.SQRT1_2))
      : tanh(mul(mul(x, add(mul(mul(x, x), 0.044715), 1)), Math.sqrt(2 / Math.PI)));
  return mul(mul(x, 0.5), add(inner, 1));
}

/** x·σ(αx). With α = 1 it is also called SiLU. https://onnx.ai/onnx/operators/onnx__Swish.html */
export function swish(x: Value, alpha = 1): Value {
  return mul(x, sigmoid(alpha === 1 ? x : mul(x, alpha)));
}

/** x·tanh(softplus(x)). https://onnx.ai/onnx/operators/onnx__Mish.html */
export function mish(x: Value): Value {
  return mul(x, tanh(softplus(x)));
}

/** x / (1 + |x|). https://onnx.ai/onnx/operators/onnx__Softsign.html */
export function softsign(x: Value): Value {
  return div(x, add(abs(x), 1));
}
