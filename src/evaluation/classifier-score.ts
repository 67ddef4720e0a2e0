import { build, exp, input, log, maximum, mean, mul, sub, sum } from "../graph/index.js";
import { encodeModel } from "../onnx/index.js";
import type { OpenModel } from "../runtime/engine.js";
import { floatsIn } from "../tensors/tensor.js";
import { producer } from "../version.js";

/**
 * The classifier score: exp E KL(p(y|x) ‖ p(y)), where p(y|x) are the class probabilities of an image and p(y) is their
 * mean over all images. It is the Inception Score (Salimans et al. 2016, https://arxiv.org/abs/1606.03498, section 4)
 * with another classifier than Inception. It ranges from 1 to the number of classes; the maximum needs certain classes,
 * equally many images of each.
 *
 * @param probabilities [count, classes].
 * @param open loads models on the CPU.
 */
export async function classifierScore(
  probabilities: Float32Array,
  count: number,
  open: OpenModel,
): Promise<number> {
  const classes = probabilities.length / count;
  const p = input("probabilities", "float32", ["n", classes], "of the classes, a row for each image");
  const ln = (x: typeof p) => log(maximum(x, 1e-12));
  const divergence = sum(mul(p, sub(ln(p), ln(mean(p, [0], { keepdims: true })))), [1]);
  const about = { name: "classifier-score", doc: "The classifier score.", producer };
  const model = build(about, { inputs: [p], outputs: { score: exp(mean(divergence)) } });
  const session = await open(encodeModel(model), "the classifier score");
  try {
    const feed = { dtype: "float32", shape: [count, classes], data: probabilities } as const;
    return floatsIn(await session.run(new Map([["probabilities", feed]])), "score")[0];
  } finally {
    await session.close();
  }
}
