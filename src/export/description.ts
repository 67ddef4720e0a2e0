import { checkSeal } from "../checksum.js";
import { GanOnnxError, messageOf } from "../error.js";
import { jsonIn } from "../json.js";
import type { Ports } from "../networks/index.js";
// Do not import the graph builder here: the page loads it only for training.
import { type ModelSummary, summarizeModel } from "../onnx/index.js";
import type { ImageShape } from "../recipes/index.js";
import { formats } from "../version.js";
import { readPorts } from "./ports.js";

/** What is needed to draw with a generator. */
export interface Generator {
  readonly latent: number;
  /** The number of classes of its input `label`, if it has one. */
  readonly classes?: number;
  /** The names of the classes, if they have names other than their numbers. */
  readonly classNames?: readonly string[];
  /** The number of images in a call, if it is fixed. */
  readonly batch?: number;
  readonly image: ImageShape;
  /** The values of black and white in the images. */
  readonly range: readonly [number, number];
  /** Its inputs and output, if they have their own names and shapes. */
  readonly ports?: Ports;
  /** Whether it contains a Loop, such as the solver of a flow. With WebGPU this node runs on the CPU. */
  readonly loops?: true;
}

/** A generator, and the metadata of its file. */
export interface GeneratorFile extends Generator {
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Read the description of a generator from its model file. The page uses it too: it needs no Node.
 *
 * @throws {@link GanOnnxError} when the file is not a generator as `export` writes it.
 */
export function readGenerator(model: Uint8Array, where: string): GeneratorFile {
  const summary = summaryOf(model, where);
  const generator = describeGenerator(summary, where);
  requireDrawable(generator, where);
  return {
    ...generator,
    ...(summary.operators.includes("Loop") && { loops: true }),
    metadata: summary.metadata,
  };
}

/** What is needed to use a classifier, and the metadata of its file. */
export interface ClassifierFile {
  readonly classes: number;
  readonly image: ImageShape;
  /** The values of black and white in its input. */
  readonly range: readonly [number, number];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Read the description of a classifier from its model file.
 *
 * @throws {@link GanOnnxError} when the file is not a classifier as `export` writes it.
 */
export function readClassifier(model: Uint8Array, where: string): ClassifierFile {
  const { inputs, outputs, metadata } = summaryOf(model, where);
  const names = (ports: ModelSummary["inputs"]) => ports.map(({ name }) => name);
  if (names(inputs).join() !== "image") throw noGenerator("has not the one input image", where);
  for (const name of ["probabilities", "features"]) {
    if (!names(outputs).includes(name)) throw noGenerator(`has no output ${name}`, where);
  }
  requireFormat(metadata, formats.classifier, where);
  const field = fieldsOf(metadata, where);
  const [classes, image] = [field("classes", isCount), imageIn(inputs, "input", where)];
  requireDrawable({ classes, image }, where);
  return { classes, image, range: field("range", isRange), metadata };
}

/** The most that a model may ask for: numbers of a latent and of an image, classes. A larger one is not drawn with. */
const most = { latent: 2 ** 20, image: 2 ** 26, classes: 2 ** 16 } as const;

/**
 * Make sure that what a model asks for fits into memory, before anything is made for it.
 *
 * @throws {@link GanOnnxError} naming what is too large, or no number.
 */
export function requireDrawable(
  { latent = 1, classes = 1, image }: Partial<Generator> & Pick<Generator, "image">,
  where: string,
): void {
  const { channels, height, width } = image;
  const asked = [
    ["a latent of", latent, most.latent, "numbers"],
    ["images of", channels * height * width, most.image, `numbers (${channels}x${height}x${width})`],
    ["", classes, most.classes, "classes"],
  ] as const;
  for (const [of, count, limit, unit] of asked) {
    if (count >= 1 && count <= limit) continue;
    throw noGenerator(`has ${of} ${count} ${unit}; the most is ${limit}`.replace("  ", " "), where);
  }
}

function summaryOf(model: Uint8Array, where: string): ModelSummary {
  let summary: ModelSummary;
  try {
    summary = summarizeModel(model);
  } catch (cause) {
    throw noGenerator(`is not an ONNX model (${messageOf(cause)})`, where, cause);
  }
  checkSeal(model, summary.metadata, where);
  return summary;
}

function imageIn(ports: ModelSummary["inputs"], kind: string, where: string): ImageShape {
  const image = ports.find(({ name }) => name === "image")?.shape ?? [];
  const [channels, height, width] = image.slice(1).map(Number);
  if (image.length === 4 && [channels, height, width].every(isCount)) return { channels, height, width };
  throw noGenerator(`has no ${kind} image [batch, channels, height, width]`, where);
}

/** Models of other programs may have no format. A model with another format of this program is refused. */
function requireFormat(metadata: ModelSummary["metadata"], expected: string, where: string): void {
  const { format = expected } = metadata;
  if (format !== expected) throw noGenerator(`has the format "${format}" instead of "${expected}"`, where);
}

function fieldsOf(metadata: ModelSummary["metadata"], where: string) {
  return <T>(name: string, holds: (value: unknown) => value is T): T => {
    const value = jsonIn(metadata[name]);
    if (holds(value)) return value;
    const found = JSON.stringify(metadata[name]);
    throw noGenerator(`has no proper metadata "${name}" (it is ${found})`, where);
  };
}

function describeGenerator({ inputs, outputs, metadata }: ModelSummary, where: string): Generator {
  const ports = readPorts(metadata.ports, where);
  if (ports) return portedGenerator(ports, { outputs, metadata }, where);
  const shapeOf = (ports: ModelSummary["inputs"], name: string) =>
    ports.find((port) => port.name === name)?.shape ?? [];
  const [batch, latent] = shapeOf(inputs, "z");
  const label = inputs.some(({ name }) => name === "label");
  if (typeof latent !== "number" || inputs.length !== (label ? 2 : 1)) {
    throw noGenerator("has no input z [batch, latent], or others than z and label", where);
  }
  const image = imageIn(outputs, "output", where);
  requireFormat(metadata, formats.generator, where);
  const field = fieldsOf(metadata, where);
  return {
    latent,
    ...(typeof batch === "number" && batch > 0 && { batch }),
    classes: label ? field("classes", isCount) : undefined,
    classNames: label ? namesIn(metadata) : undefined,
    image,
    range: field("range", isRange),
  };
}

/** A generator whose inputs and output are those of the file that its network came from. */
function portedGenerator(
  ports: Ports,
  { outputs, metadata }: Pick<ModelSummary, "outputs" | "metadata">,
  where: string,
): Generator {
  requireFormat(metadata, formats.generator, where);
  const field = fieldsOf(metadata, where);
  const image = field("image", isImage);
  const size = image.channels * image.height * image.width;
  const made = outputs
    .find(({ name }) => name === ports.output)
    ?.shape.slice(1)
    .map(Number);
  // The file may leave sizes open. Known sizes must match.
  if (!made || (!made.some(Number.isNaN) && made.reduce((product, dim) => product * dim, 1) !== size)) {
    throw noGenerator(`has no output ${ports.output} of ${size} numbers for each image`, where);
  }
  return {
    latent: field("latent", isCount),
    classes: ports.label ? field("classes", isCount) : undefined,
    classNames: ports.label ? namesIn(metadata) : undefined,
    image,
    range: field("range", isRange),
    ports,
  };
}

/** The error for a file that is not a generator or a classifier. */
export function noGenerator(what: string, where: string, cause?: unknown): GanOnnxError {
  return new GanOnnxError({ what, where, fix: "name a model that `gan-onnx export` wrote", cause });
}

/** A field of the metadata, as JSON. */
const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 1;

const isImage = (value: unknown): value is ImageShape =>
  typeof value === "object" &&
  value !== null &&
  ["channels", "height", "width"].every((key) => isCount((value as Record<string, unknown>)[key]));

const isRange = (value: unknown): value is [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);

/** The names of the classes. Models of other programs may not have them. */
function namesIn({ class_names }: ModelSummary["metadata"]): readonly string[] | undefined {
  const names = class_names === undefined ? undefined : jsonIn(class_names);
  return Array.isArray(names) && names.every((name) => typeof name === "string") ? names : undefined;
}
