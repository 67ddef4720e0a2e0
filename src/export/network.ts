import { seal, unsealed } from "../checksum.js";
import { GanOnnxError, setting, text } from "../error.js";
import { build, constant, type Model, type Value } from "../graph/index.js";
import type { FileNetwork } from "../networks/file-network.js";
import type { Ports } from "../networks/index.js";
import { encodeModel, patchModel } from "../onnx/index.js";
import type { Design } from "../recipes/index.js";
import type { OpenModel } from "../runtime/engine.js";
import { randomStream } from "../tensors/random.js";
import { floatsIn, type Tensor, type Tensors, tensorIn } from "../tensors/tensor.js";
import type { Checkpoint } from "../training/checkpoint.js";
import { buildExport, buildInference, randomInputs } from "../training/inference.js";
import { exportedState, namedTensors } from "../training/state.js";
import { formats, producer } from "../version.js";
import { portFeeds } from "./ports.js";

/** What a network learned from: the name of the data (`mnist`, or a folder), and the names of its classes. */
export interface DataSource {
  readonly name: string;
  readonly classNames?: readonly string[];
}

/** The metadata of an exported classifier, as strings. */
export interface ClassifierMetadata {
  readonly format: typeof formats.classifier;
  readonly classes: string;
  /** The values of black and white in `image`, e.g. `[-1,1]`. */
  readonly range: string;
  readonly recipe: string;
  readonly epoch: string;
  readonly seed: string;
  readonly data: string;
  /** The names of the classes as a JSON array, if they have names other than their numbers. */
  readonly class_names?: string;
}

/** The metadata of an exported generator, as strings. */
export interface GeneratorMetadata {
  readonly format: typeof formats.generator;
  /** The size of a latent vector. */
  readonly latent: string;
  /** The number of classes, in models with an input `label`. */
  readonly classes?: string;
  /** The values of black and white in `image`, e.g. `[-1,1]`. */
  readonly range: string;
  readonly recipe: string;
  readonly epoch: string;
  readonly seed: string;
  readonly data: string;
  /** The names of the classes as a JSON array, if they have names other than their numbers. */
  readonly class_names?: string;
  /** Names and shapes of inputs and output as JSON, for a network that came from a file. */
  readonly ports?: string;
  /** Channels, height and width of the images, if the shape of the output does not determine them. */
  readonly image?: string;
}

/** The file of the exported network, if it came from a file. */
export interface OriginalFile {
  readonly bytes: Uint8Array;
  readonly network: FileNetwork;
}

/** The largest allowed difference between the exported model and the network in training, both in float32. */
const TOLERANCE = 1e-5;

/**
 * Export the network of a checkpoint as a self-contained inference model with a symbolic batch: a generator from `z`
 * [batch, latent] to `image` [batch, channels, height, width], or a classifier from `image` to `logits`,
 * `probabilities` and `features`. A network that came from a file is exported as that file with new weights. The result
 * is checked: on random inputs, with batches of 1 and 7, it must agree with the trained network.
 *
 * @param source what the network learned from, for its metadata.
 * @param open loads models on the CPU.
 * @throws {@link GanOnnxError} when it does not agree.
 */
export async function exportNetwork(
  design: Design,
  { position, state }: Checkpoint,
  source: string | DataSource,
  open: OpenModel,
  original?: OriginalFile,
): Promise<Uint8Array<ArrayBuffer>> {
  const { exported: what } = design;
  const { network, classes } = what;
  const { name, classNames: names } = typeof source === "string" ? ({ name: source } as DataSource) : source;
  const data = nameOf(name);
  const isNamed =
    classes !== undefined && names?.length === classes && names.some((name, i) => name !== String(i));
  const common = {
    range: JSON.stringify(what.range),
    recipe: design.recipe,
    epoch: String(position.epoch),
    seed: String(position.seed),
    data,
    ...(isNamed && { class_names: JSON.stringify(names) }),
    ...(original && { ports: JSON.stringify(original.network.ports), image: JSON.stringify(design.image) }),
  };
  const metadata: GeneratorMetadata | ClassifierMetadata =
    what.kind === "generator"
      ? {
          format: formats.generator,
          latent: String(what.latent),
          ...(classes === undefined ? {} : { classes: String(classes) }),
          ...common,
        }
      : { format: formats.classifier, classes: String(what.classes), ...common };
  const doc = `The ${network} of the recipe ${design.recipe} after ${position.epoch} epochs of ${data}.`;
  const about = { doc, metadata: { ...metadata, ...unsealed } };
  const exported = seal(
    original
      ? patchModel(original.bytes, weightsOf(design, state), about.metadata)
      : encodeModel(await withWeightsInside(design, about, state, open)),
  );
  await checkAgreement(exported, design, { position, state }, open, original?.network.ports);
  return exported;
}

/** The name of a data folder: the last part of its path. Exported files must not contain paths of the machine. */
function nameOf(data: string): string {
  const isAbsolute = /^([/\\]|[A-Za-z]:)/.test(data);
  return isAbsolute ? (data.split(/[/\\]/).findLast((part) => part !== "") ?? data) : data;
}

/** The file that the exported network, or the part of it that draws, came from; undefined where it is its own. */
export function originalOf<F extends OriginalFile>(
  { exported }: Design,
  files: ReadonlyMap<string, F>,
): F | undefined {
  const part = exported.kind === "generator" ? exported.part : undefined;
  if (part === undefined) return files.get(exported.network);
  const file = files.get(part);
  // A decoder that gives logits would draw them: it leaves with the sigmoid behind it.
  return file?.network.ports.dropped ? file : undefined;
}

/** The weights and buffers of the exported network, or of the part of it that draws, by name. */
function weightsOf(design: Design, state: Tensors): Map<string, Float32Array> {
  const { exported } = design;
  const tensors = namedTensors(design, exported.network, state, exportedState(design));
  const prefix = exported.kind === "generator" && exported.part ? `${exported.part}.` : "";
  const own = [...tensors.keys()].filter((name) => name.startsWith(prefix));
  return new Map(own.map((name) => [name.slice(prefix.length), floatsIn(tensors, name)]));
}

/**
 * Compute derived weights with ONNX Runtime and store them as constants, e.g. a convolution with its normalization
 * folded in.
 */
async function withWeightsInside(
  design: Design,
  about: { readonly doc: string; readonly metadata: Readonly<Record<string, string>> },
  state: Tensors,
  open: OpenModel,
): Promise<Model> {
  const tensors = new Map(
    [...namedTensors(design, design.exported.network, state, exportedState(design))].map(
      ([name, tensor]) => [name, named(name, tensor)] as const,
    ),
  );
  const derived: Record<string, Value> = {};
  const model = buildExport(design, about, {
    tensors,
    derived: (name, compute) => {
      derived[name] = compute();
      return derived[name];
    },
  });
  if (Object.keys(derived).length === 0) return model;

  const folding = build({ name: "folding", doc: "", producer }, { inputs: [], outputs: derived });
  const session = await open(encodeModel(folding), "the folding of the weights");
  try {
    const folded = await session.run(new Map());
    return buildExport(design, about, {
      tensors,
      derived: (name) => named(name, tensorIn(folded, name)),
    });
  } finally {
    await session.close();
  }
}

function named(name: string, { dtype, shape, data }: Tensor): Value {
  return constant(dtype, shape, data, name);
}

async function checkAgreement(
  exported: Uint8Array,
  design: Design,
  { position, state }: Checkpoint,
  open: OpenModel,
  ports: Ports | undefined,
): Promise<void> {
  const inference = buildInference(design, { doc: "" });
  const inputs = new Set(inference.graph.inputs.map(({ name }) => name));
  const weights = [...state].filter(([name]) => inputs.has(name));
  const a = await open(exported, "the exported model");
  const b = await open(encodeModel(inference), "the network in training");
  try {
    for (const batch of [1, 7]) {
      const random = randomStream(position.seed, "export", batch);
      const feeds = randomInputs(design, random, batch);
      const x = await a.run(ports ? portFeeds(ports, feeds) : feeds);
      const y = await b.run(new Map([...feeds, ...weights]));
      const outputs = ports
        ? [[ports.output, outputLike(design, ports)]]
        : Array.from(y.keys(), (name) => [name, name]);
      const difference = Math.max(
        ...outputs.map(([theirs, ours]) => largestDifference(floatsIn(x, theirs), floatsIn(y, ours))),
      );
      if (difference <= TOLERANCE) continue;
      throw new GanOnnxError({
        what: `differs by ${difference} from the network in training, at batch ${batch}`,
        where: "the exported model",
        fix: text`train with a lower ${setting("learningRate")} if the training has diverged, otherwise report this; nothing was written`,
      });
    }
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}

/** The output of the design's own form that must equal the output of the file. */
function outputLike({ exported }: Design, { dropped }: Ports): string {
  if (exported.kind === "generator") return "image";
  return dropped ? "probabilities" : "logits";
}

/** The largest |a - b|, relative to b where |b| > 1. Infinite when the lengths differ or a number is NaN. */
function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  return a.reduce((largest, value, i) => {
    const difference = Math.abs(value - b[i]) / Math.max(1, Math.abs(b[i]));
    return Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
  }, 0);
}
