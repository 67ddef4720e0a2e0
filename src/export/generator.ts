import { GanOnnxError } from "../error.js";
import { encodeModel } from "../graph/index.js";
import type { Checkpoint } from "../training/checkpoint.js";
import { fillNormal, randomStream } from "../training/random.js";
import { type Design, type ImageShape, imageShapeOf } from "../training/recipes/index.js";
import { buildSampler } from "../training/sampler.js";
import { Session } from "../training/session.js";
import { namedParameters } from "../training/state.js";
import { parametersState } from "../training/step-graph.js";

/** What an exported model tells about itself, as strings in its metadata. */
export interface GeneratorMetadata {
  readonly format: "gan-onnx generator 1";
  /** Numbers in a latent vector. */
  readonly latent: string;
  /** What black and white are in `image`, e.g. `[-1,1]`. */
  readonly range: string;
  readonly recipe: string;
  readonly epoch: string;
  readonly seed: string;
  readonly data: string;
}

/** Largest difference allowed between the exported model and the network in training, both in float32. */
const TOLERANCE = 1e-5;

/**
 * The generator of a checkpoint as a self-contained inference model: `z` [batch, latent] to `image` [batch, channels,
 * height, width], the batch being symbolic. It is checked before it is returned: on random latents, at batch 1 and 7,
 * it must agree with the network that was trained.
 *
 * @throws GanOnnxError when it does not agree.
 */
export async function exportGenerator(
  design: Design,
  { position, state }: Checkpoint,
  data: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { network, latent, range } = design.sampler;
  const image = imageShapeOf(position);
  const metadata: GeneratorMetadata = {
    format: "gan-onnx generator 1",
    latent: String(latent),
    range: JSON.stringify(range),
    recipe: position.recipe,
    epoch: String(position.epoch),
    seed: String(position.seed),
    data,
  };
  const doc = `The ${network} of the recipe ${position.recipe} after ${position.epoch} epochs of ${data}.`;
  const weights = namedParameters(design, network, state);
  const exported = encodeModel(buildSampler(design, image, { doc, metadata: { ...metadata } }, weights));
  await checkAgreement(exported, design, image, { position, state });
  return exported;
}

async function checkAgreement(
  exported: Uint8Array,
  design: Design,
  image: ImageShape,
  { position, state }: Checkpoint,
): Promise<void> {
  const trained = encodeModel(buildSampler(design, image, { doc: "" }));
  const parameters = parametersState(design.sampler.network);
  const a = await Session.open(exported, { ep: "cpu" }, "the exported model");
  const b = await Session.open(trained, { ep: "cpu" }, "the network in training");
  try {
    for (const batch of [1, 7]) {
      const data = new Float32Array(batch * design.sampler.latent);
      const z = {
        dtype: "float32" as const,
        shape: [batch, design.sampler.latent],
        data: fillNormal(randomStream(position.seed, "export", batch), data) as Float32Array<ArrayBuffer>,
      };
      const [x, y] = [await a.run({ z }), await b.run({ z, [parameters]: state[parameters] })];
      const difference = largestDifference(x.image.data as Float32Array, y.image.data as Float32Array);
      if (difference <= TOLERANCE) continue;
      throw new GanOnnxError({
        what: `differs by ${difference} from the network in training, at batch ${batch}`,
        where: "the exported model",
        fix: "report this: the export is wrong, and was not written",
      });
    }
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}

/** The largest |a - b|; infinite when the lengths differ or a number is missing. */
function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  return a.reduce((largest, value, i) => {
    const difference = Math.abs(value - b[i]);
    return Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
  }, 0);
}
