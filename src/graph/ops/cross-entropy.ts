import { shapeError } from "../dims.js";
import type { Value } from "../value.js";
import { div, equal, mul, neg, where } from "./elementwise.js";
import { range } from "./generate.js";
import { not } from "./logic.js";
import { mean, sum } from "./reduce.js";
import { reshape, unsqueeze } from "./reshape.js";
import { onesLike } from "./shape.js";
import { logSoftmax } from "./softmax.js";

/** PyTorch's and ONNX's options of losses over classes. */
export interface ClassLossOptions {
  /** How much each class counts, [classes]. */
  readonly weight?: Value;
  /** A class whose targets do not count. */
  readonly ignoreIndex?: number;
  /** With weights the mean divides by the sum of those of the targets. */
  readonly reduction?: "mean" | "sum" | "none";
}

/**
 * -ln p of the target's class. https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html
 *
 * @param logarithms ln p, [batch, classes, …].
 * @param target int64 or int32 [batch, …].
 * @returns a scalar, or [batch, …] with reduction none.
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
 * Cross-entropy of scores, of which softmax makes probabilities.
 * https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html
 *
 * @param scores [batch, classes, …].
 * @param target int64 or int32 [batch, …].
 * @returns the loss, a scalar or [batch, …] with reduction none, and the logarithms of the probabilities.
 */
export function softmaxCrossEntropy(
  scores: Value,
  target: Value,
  options: ClassLossOptions = {},
): { readonly loss: Value; readonly logarithms: Value } {
  const logarithms = logSoftmax(scores, 1);
  return { loss: negativeLogLikelihood(logarithms, target, options), logarithms };
}
