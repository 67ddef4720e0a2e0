import { cast, greater, logSoftmax, max, mean, mul, neg, sub, sum, type Value } from "../../graph/index.js";
import { type Network, oneHot } from "../../networks/index.js";
import type { Phase } from "../design.js";
import { toSigned } from "./gan.js";

/** Images [batch, pixels] in [-1, 1] to logits [batch, classes], and the features that the last linear layer reads. */
export type Classify = (x: Value) => { readonly logits: Value; readonly features: Value };
export type Classifying = { readonly classifier: Network<Classify> };

/** Cross-entropy of logits [batch, classes], -ln softmax(a)[label], averaged over the batch. `chosen` is one-hot. */
export function softmaxCrossEntropy(logits: Value, chosen: Value): Value {
  return neg(mean(sum(mul(logSoftmax(logits, 1), chosen), [1])));
}

/**
 * Classification by cross-entropy, -ln softmax(a)[label], averaged over the batch (Goodfellow, Bengio and Courville
 * 2016, https://www.deeplearningbook.org, section 6.2.2.3).
 *
 * Metrics: the loss, and the share of labels with the largest logit, before the update.
 */
export function crossEntropy(pixels: number, classes: number): readonly Phase<Classifying>[] {
  return [
    {
      updates: "classifier",
      repeats: 1,
      inputs: { x: { role: "images", shape: [pixels] }, y: { role: "labels", shape: [] } },
      trace({ classifier }, { x, y }) {
        const { logits } = classifier(toSigned(x));
        const chosen = oneHot(y, classes);
        const loss = softmaxCrossEntropy(logits, chosen);
        const missed = cast(greater(max(logits, [1]), sum(mul(logits, chosen), [1])), { to: "float32" });
        return { loss, metrics: { loss, accuracy: sub(1, mean(missed)) } };
      },
    },
  ];
}
