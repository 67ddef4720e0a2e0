import { defineOp } from "../operator.js";
import type { Value } from "../value.js";
import { sameAsInput } from "./infer.js";

/**
 * x, which counts as a constant whenever gradients are taken: what PyTorch calls `x.detach()`. Nothing is written for
 * it. (For a single call of `gradients` its option `fixed` does the same.)
 */
export const stopGradient = defineOp<[x: Value]>({
  type: "StopGradient",
  infer: sameAsInput,
  vjp: null,
  lower: ([x]) => x,
});
