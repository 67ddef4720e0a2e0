import { z as schema } from "zod";
import { GanOnnxError, messageOf } from "../error.js";
import { type ModelSummary, summarizeModel } from "../graph/index.js";
import { drawLatents } from "../training/latents.js";
import { randomStream } from "../training/random.js";
import type { ImageShape } from "../training/recipes/index.js";
import { Session, type SessionPlace } from "../training/session.js";
import { drawSheet } from "../training/sheet.js";

/** What must be known of a generator to draw with it. */
interface Generator {
  readonly latent: number;
  readonly classes?: number;
  readonly image: ImageShape;
  readonly range: readonly [number, number];
}

const rangeSchema = schema.tuple([schema.number(), schema.number()]);
const imageSchema = schema.tuple([schema.unknown(), schema.number(), schema.number(), schema.number()]);

export interface SampleOptions {
  readonly count: number;
  readonly columns?: number;
  /** Equal seeds give equal latents; the first ones do not depend on `count`. */
  readonly seed: number;
  /** The class of each image, in turn; only for models that choose by class. */
  readonly digits?: readonly number[];
  readonly place: SessionPlace;
  /** What the model is called in messages: its file. */
  readonly where: string;
}

/**
 * Draw a sheet of samples from an exported generator.
 *
 * @returns a PNG.
 * @throws GanOnnxError when the file is no generator of the form that `export` writes, or lacks the classes asked for.
 */
export async function sampleSheet(
  model: Uint8Array,
  { count, columns, seed, digits, place, where }: SampleOptions,
): Promise<Uint8Array> {
  const generator = readGenerator(model, where);
  if (digits) checkDigits(digits, generator.classes, where);
  const session = await Session.open(model, place, where);
  try {
    const { image } = await session.run(drawLatents(randomStream(seed, "sample"), count, generator, digits));
    const shape = { count, ...generator.image };
    return await drawSheet(image.data as Float32Array, shape, { range: generator.range, columns });
  } finally {
    await session.close();
  }
}

function checkDigits(digits: readonly number[], classes: number | undefined, where: string): void {
  const beyond = digits.find((digit) => digit >= (classes ?? 0));
  if (beyond === undefined) return;
  throw new GanOnnxError({
    what: classes === undefined ? `${where} cannot choose what it draws` : `${where} has no class ${beyond}`,
    where: "--digits",
    fix: classes === undefined ? "leave it out" : `choose from 0 to ${classes - 1}`,
    kind: "usage",
  });
}

function readGenerator(model: Uint8Array, where: string): Generator {
  const refuse = (what: string, cause?: unknown) =>
    new GanOnnxError({ what, where, fix: "name a model that `gan-onnx export` wrote", cause });
  let summary: ModelSummary;
  try {
    summary = summarizeModel(model);
  } catch (cause) {
    throw refuse(`is no ONNX model (${messageOf(cause)})`, cause);
  }
  const { inputs, outputs, metadata } = summary;
  const shapeOf = (values: ModelSummary["inputs"], name: string) =>
    values.find((value) => value.name === name)?.shape ?? [];
  const latent = shapeOf(inputs, "z")[1];
  const label = inputs.some(({ name }) => name === "label");
  if (typeof latent !== "number" || inputs.length !== (label ? 2 : 1)) {
    throw refuse("has no input z [batch, latent], or others than z and label");
  }
  const image = imageSchema.safeParse(shapeOf(outputs, "image"));
  if (!image.success) throw refuse("has no output image [batch, channels, height, width]");
  const [, channels, height, width] = image.data;
  return {
    latent,
    classes: label ? readMetadata(metadata, "classes", schema.int().min(1), refuse) : undefined,
    image: { channels, height, width },
    range: readMetadata(metadata, "range", rangeSchema, refuse),
  };
}

/** A field of the metadata, which holds JSON. */
function readMetadata<S extends schema.ZodType>(
  metadata: Readonly<Record<string, string>>,
  field: string,
  form: S,
  refuse: (what: string) => GanOnnxError,
): schema.infer<S> {
  try {
    return form.parse(JSON.parse(metadata[field]));
  } catch {
    throw refuse(`has no proper metadata "${field}" (it is ${JSON.stringify(metadata[field])})`);
  }
}
