import { z as schema } from "zod";
import { GanOnnxError, messageOf } from "../error.js";
import { type ModelSummary, summarizeModel } from "../graph/index.js";
import { fillNormal, randomStream } from "../training/random.js";
import { Session, type SessionPlace } from "../training/session.js";
import { drawSheet } from "../training/sheet.js";

/** What must be known of a generator to draw with it. */
interface Generator {
  readonly latent: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly range: readonly [number, number];
}

const rangeSchema = schema.tuple([schema.number(), schema.number()]);

/**
 * Draw a sheet of samples from an exported generator.
 *
 * @param seed equal seeds give equal latents, on every machine; the first latents do not depend on `count`.
 * @returns a PNG.
 * @throws GanOnnxError when the file is no generator of the form that `export` writes.
 */
export async function sampleSheet(
  model: Uint8Array,
  {
    count,
    columns,
    seed,
    place,
    where,
  }: {
    count: number;
    columns?: number;
    seed: number;
    place: SessionPlace;
    where: string;
  },
): Promise<Uint8Array> {
  const { latent, channels, height, width, range } = readGenerator(model, where);
  const session = await Session.open(model, place, where);
  try {
    const z = new Float32Array(count * latent);
    fillNormal(randomStream(seed, "sample"), z);
    const { image } = await session.run({ z: { dtype: "float32", shape: [count, latent], data: z } });
    const shape = { count, channels, height, width };
    return await drawSheet(image.data as Float32Array, shape, { range, columns });
  } finally {
    await session.close();
  }
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
  const z = inputs.find(({ name }) => name === "z");
  const image = outputs.find(({ name }) => name === "image");
  const [latent, dims] = [z?.shape[1], image?.shape ?? []];
  if (inputs.length !== 1 || typeof latent !== "number")
    throw refuse("has no single input z [batch, latent]");
  const [channels, height, width] = dims.slice(1);
  if (
    dims.length !== 4 ||
    typeof channels !== "number" ||
    typeof height !== "number" ||
    typeof width !== "number"
  ) {
    throw refuse("has no output image [batch, channels, height, width]");
  }
  return { latent, channels, height, width, range: readRange(metadata.range, refuse) };
}

function readRange(text: string | undefined, refuse: (what: string) => GanOnnxError): [number, number] {
  try {
    return rangeSchema.parse(JSON.parse(text ?? ""));
  } catch {
    throw refuse(`has no metadata "range" such as [-1,1] (it is ${JSON.stringify(text)})`);
  }
}
