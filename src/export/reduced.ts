import { seal, unsealed } from "../checksum.js";
import { GanOnnxError, messageOf, setting } from "../error.js";
import type { Ports } from "../networks/index.js";
import { type FileOptions, reduced } from "../onnx/index.js";
import type { Design } from "../recipes/index.js";
import type { LoadedModel, OpenModel } from "../runtime/engine.js";
import { randomStream } from "../tensors/random.js";
import { floatsIn } from "../tensors/tensor.js";
import { randomInputs } from "../training/inference.js";
import { portFeeds } from "./ports.js";

/** Samples to compare, unless the batch size is fixed. */
const COUNT = 64;
/** The largest difference of a file with the same numbers. */
const TOLERANCE = 1e-5;

/** A model in another form. */
export interface Reduced {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The largest difference of an output on random inputs, with float32 weights for comparison. */
  readonly difference: number;
}

/**
 * Write an exported model with weights of lower precision, with a fixed batch size, or for another operator set, and
 * compare it with the original in ONNX Runtime.
 *
 * @param options how it is written, and how a network from a file is fed.
 * @param open loads models on the CPU.
 * @throws {@link GanOnnxError} when ONNX Runtime does not load the result, or it computes something else.
 */
export async function reducedModel(
  original: Uint8Array,
  design: Design,
  options: FileOptions & { readonly ports?: Ports },
  open: OpenModel,
): Promise<Reduced> {
  const { batch, opset, precision = "fp32", ports } = options;
  const bytes = seal(reduced(original, options, unsealed));
  const inputs = randomInputs(design, randomStream(0, "reduced"), batch ?? COUNT);
  const feeds = ports ? portFeeds(ports, inputs) : inputs;
  const models: LoadedModel[] = [];
  try {
    models.push(await open(original, "the exported model"));
    models.push(
      await open(bytes, "the exported model").catch((cause: unknown) => {
        throw opset === undefined
          ? cause
          : unsuitable(opset, messageOf((cause instanceof Error && cause.cause) || cause));
      }),
    );
    const [expected, found] = [await models[0].run(feeds), await models[1].run(feeds)];
    const difference = Math.max(
      ...Array.from(expected.keys(), (name) => farthest(floatsIn(found, name), floatsIn(expected, name))),
    );
    if (precision !== "fp32" || difference <= TOLERANCE) return { bytes, difference };
    throw opset === undefined
      ? new GanOnnxError({
          what: `its outputs differ by ${difference}`,
          where: "the exported model",
          fix: "report this; nothing was written",
        })
      : unsuitable(opset, `its outputs differ by ${difference}`);
  } finally {
    await Promise.all(models.map((model) => model.close()));
  }
}

function unsuitable(opset: number, why: string): GanOnnxError {
  return new GanOnnxError({
    what: `the operators of this model do not mean the same in that version (${why})`,
    where: setting("opset", opset),
    fix: "choose another version, or leave it out",
    kind: "usage",
  });
}

function farthest(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => {
    const difference = Math.abs(value - b[i]);
    return Number.isNaN(difference) ? Infinity : Math.max(most, difference);
  }, 0);
}
