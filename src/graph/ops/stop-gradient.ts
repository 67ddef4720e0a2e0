import { defineOp } from "../operator.js";
import type { Value } from "../value.js";
import { sameAsInput } from "./infer.js";

/**
 * x, which is a constant in every gradient: `x.detach()` in PyTorch. No node is written for it. (The option `fixed` of
 * `gradients` does the same for one call.)
 */
export const stopGradient = defineOp<[x: Value]>({
  type: "StopGradient",
  infer: sameAsInput,
  vjp: null,
  lower: ([x]) => x,
});
