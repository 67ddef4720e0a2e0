import { shapeError } from "../dims.js";
import type { Value } from "../value.js";
import { div, equal, mul, neg, where } from "./elementwise.js";
import { range } from "./generate.js";
import { not } from "./logic.js";
import { mean, sum } from "./reduce.js";
import { reshape, unsqueeze } from "./reshape.js";
import { onesLike } from "./shape.js";
import { logSoftmax } from "./softmax.js";

/** Options of losses over classes, as in PyTorch and ONNX. */
export interface ClassLossOptions {
  /** The weight of each class, [classes]. */
  readonly weight?: Value;
  /** Targets of this class are ignored. */
  readonly ignoreIndex?: number;
  /** With weights, the mean divides by the sum of the targets' weights. */
  readonly reduction?: "mean" | "sum" | "none";
}

/**
 * -ln p of the target's class. https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html
 *
 * @param logarithms ln p, [batch, classes, …].
 * @param target int64 or int32 [batch, …].
 * @returns a scalar, or [batch, …] with reduction `none`.
 */
export function negativeLogLikelihood(
  logarithms: Value,
  target: Value,
  { weight, ignoreIndex, reduction = "mean" }: ClassLossOptions = {},
): Value {
  const [batch, classes, ...others] = logarithms.shape;
  if (typeof classes !== "number" || target.shape.length !== others.length + 1 || target.shape[0] !== batch) {
    throw shapeError(
      "NegativeLogLikelihoodLoss",
      "values [batch, classes, …] and targets [batch, …] are needed",
      [logarithms.shape, target.shape],
    );
  }
  const column = (values: Value) => reshape(values, [classes, ...others.map(() => 1)]);
  const chosen = equal(unsqueeze(target, [1]), column(range(0, classes, 1, target.dtype)));
  const loss = neg(sum(where(chosen, logarithms, 0), [1]));
  if (!weight && ignoreIndex === undefined) {
    return reduction === "none" ? loss : (reduction === "sum" ? sum : mean)(loss);
  }
  const counts = weight ? sum(where(chosen, column(weight), 0), [1]) : onesLike(loss);
  const kept = ignoreIndex === undefined ? undefined : not(equal(target, ignoreIndex));
  const ifKept = (value: Value) => (kept ? where(kept, value, 0) : value);
  const weighted = ifKept(mul(loss, counts));
  if (reduction === "none") return weighted;
  return reduction === "sum" ? sum(weighted) : div(sum(weighted), sum(ifKept(counts)));
}

/**
 * Cross-entropy of logits. https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html
 *
 * @param scores logits, [batch, classes, …].
 * @param target int64 or int32 [batch, …].
 * @returns the loss, a scalar or [batch, …] with reduction `none`, and the log-probabilities.
 */
export function softmaxCrossEntropy(
  scores: Value,
  target: Value,
  options: ClassLossOptions = {},
): { readonly loss: Value; readonly logarithms: Value } {
  const logarithms = logSoftmax(scores, 1);
  return { loss: negativeLogLikelihood(logarithms, target, options), logarithms };
}
