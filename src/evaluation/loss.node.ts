import type { Generator } from "../export/description.js";
import type { OpenModel } from "../runtime/engine.js";
import { frechetDistance, momentsOf } from "./frechet.js";
import { generated } from "./generated.js";
import { openJudge } from "./judge-file.node.js";
import { pointsOf } from "./scores.js";

/** Samples from each of two generators. */
const SAMPLES = 500;

/** How samples change when a generator is stored with lower precision, by the packaged judge. */
export interface Loss {
  /** The Fréchet distance between the samples of both, from the same latents. */
  readonly distance: number;
  /** The share of samples that the judge puts into the same class. */
  readonly sameClass: number;
  readonly samples: number;
  /** The name and hash of the judge. */
  readonly judge: string;
}

/**
 * Compare the samples of two generators from the same latents.
 *
 * @param open loads models on the CPU.
 * @returns undefined when the judge does not apply: it was trained on digits of another size.
 */
export async function lossOf(
  generator: Generator,
  [before, after]: readonly [Uint8Array, Uint8Array],
  open: OpenModel,
): Promise<Loss | undefined> {
  const { judge, name, hash } = await openJudge(undefined, open);
  try {
    const { image } = judge.file;
    const keys = ["channels", "height", "width"] as const;
    if (keys.some((key) => image[key] !== generator.image[key])) return undefined;
    const judged = async (bytes: Uint8Array) => {
      const model = await open(bytes, "the exported model");
      try {
        const images = await generated(model, generator, { count: SAMPLES, seed: 0, name: "samples" });
        return await judge.classify(images);
      } finally {
        await model.close();
      }
    };
    const [first, second] = [await judged(before), await judged(after)];
    const [a, b] = await Promise.all([first, second].map((found) => momentsOf(pointsOf(found), open)));
    const same = first.classes.filter((label, i) => label === second.classes[i]).length;
    return {
      distance: await frechetDistance(a, b),
      sameClass: same / SAMPLES,
      samples: SAMPLES,
      judge: `${name} (sha256 ${hash})`,
    };
  } finally {
    await judge.close();
  }
}
