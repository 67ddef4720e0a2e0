import { GanOnnxError, messageOf } from "../error.js";
import { jsonIn } from "../json.js";
// Not of the whole graph builder, which the page loads only to train.
import { type ModelSummary, summarizeModel } from "../onnx/index.js";
import type { ImageShape } from "../recipes/index.js";
import { formats } from "../version.js";

/** What must be known of a generator to draw with it. */
export interface Generator {
  readonly latent: number;
  /** How many classes its input `label` chooses from, if it has one. */
  readonly classes?: number;
  readonly image: ImageShape;
  /** What black and white are in the images. */
  readonly range: readonly [number, number];
}

/** A generator, and all that its file says of where it comes from. */
export interface GeneratorFile extends Generator {
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * What a model file says of itself as a generator. The page reads it too: nothing here needs Node.
 *
 * @throws GanOnnxError when the file is no generator of the form that `export` writes.
 */
export function readGenerator(model: Uint8Array, where: string): GeneratorFile {
  let summary: ModelSummary;
  try {
    summary = summarizeModel(model);
  } catch (cause) {
    throw noGenerator(`is no ONNX model (${messageOf(cause)})`, where, cause);
  }
  return { ...describeGenerator(summary, where), metadata: summary.metadata };
}

function describeGenerator({ inputs, outputs, metadata }: ModelSummary, where: string): Generator {
  const shapeOf = (ports: ModelSummary["inputs"], name: string) =>
    ports.find((port) => port.name === name)?.shape ?? [];
  const latent = shapeOf(inputs, "z")[1];
  const label = inputs.some(({ name }) => name === "label");
  if (typeof latent !== "number" || inputs.length !== (label ? 2 : 1)) {
    throw noGenerator("has no input z [batch, latent], or others than z and label", where);
  }
  const image = shapeOf(outputs, "image");
  const [channels, height, width] = image.slice(1).map(Number);
  if (image.length !== 4 || ![channels, height, width].every(isCount)) {
    throw noGenerator("has no output image [batch, channels, height, width]", where);
  }
  // Other programs may write models of this form; what names another format of ours is not read as this one.
  const { format = formats.generator } = metadata;
  if (format !== formats.generator) {
    throw noGenerator(`has the format "${format}" instead of "${formats.generator}"`, where);
  }
  const field = <T>(name: string, holds: (value: unknown) => value is T): T => {
    const value = jsonIn(metadata[name]);
    if (holds(value)) return value;
    const found = JSON.stringify(metadata[name]);
    throw noGenerator(`has no proper metadata "${name}" (it is ${found})`, where);
  };
  return {
    latent,
    classes: label ? field("classes", isCount) : undefined,
    image: { channels, height, width },
    range: field("range", isRange),
  };
}

/** The error for a file that is no generator. */
export function noGenerator(what: string, where: string, cause?: unknown): GanOnnxError {
  return new GanOnnxError({ what, where, fix: "name a model that `gan-onnx export` wrote", cause });
}

/** A field of the metadata, which holds JSON. */
const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 1;

const isRange = (value: unknown): value is [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);
