import {
  add,
  cast,
  exp,
  greater,
  log,
  maximum,
  mean,
  mul,
  split,
  stopGradient,
  sub,
  sum,
  type Value,
} from "../../graph/index.js";
import { type Network, oneHot } from "../../networks/index.js";
import type { Phase } from "../design.js";
import { toSigned } from "./gan.js";

/** Images [batch, pixels] in [-1, 1] to logits [batch, classes], and the features that these are linear in. */
export type Classify = (x: Value) => { readonly logits: Value; readonly features: Value };
export type Classifying = { readonly classifier: Network<Classify> };

/** The largest number of each row of a matrix: [batch, columns] to [batch, 1]. */
function largest(rows: Value): Value {
  const columns = split(rows, 1, Number(rows.shape[1]));
  return columns.reduce((most, column) => maximum(most, column));
}

/** ln Σ exp aᵢ of each row, [batch, columns] to [batch, 1]; less than the largest is subtracted, so nothing overflows. */
export function logSumExp(rows: Value): Value {
  const most = stopGradient(largest(rows));
  return add(log(sum(exp(sub(rows, most)), [1], { keepdims: true })), most);
}

/**
 * Learning to tell classes apart by cross-entropy, -ln softmax(a)[label], averaged over the batch (Goodfellow, Bengio and
 * Courville 2016, https://www.deeplearningbook.org, section 6.2.2.3).
 *
 * Metrics: the loss, and which part of the batch's labels had the largest logit, before the update.
 */
export function crossEntropy(pixels: number, classes: number): readonly Phase<Classifying>[] {
  return [
    {
      updates: "classifier",
      repeats: 1,
      inputs: { x: { role: "images", shape: [pixels] }, y: { role: "labels", shape: [] } },
      trace({ classifier }, { x, y }) {
        const { logits } = classifier(toSigned(x));
        const ofLabel = sum(mul(logits, oneHot(y, classes)), [1], { keepdims: true });
        const loss = mean(sub(logSumExp(logits), ofLabel));
        const missed = cast(greater(largest(logits), ofLabel), { to: "float32" });
        return { loss, metrics: { loss, accuracy: sub(1, mean(missed)) } };
      },
    },
  ];
}
