import { encodePng } from "../data/png.node.js";
import { paintSheet } from "../data/sheet.js";
import { GanOnnxError, setting } from "../error.js";
import { drawLatents } from "../recipes/latents.js";
import { Session, type SessionPlace } from "../runtime/session.node.js";
import { randomStream } from "../tensors/random.js";
import { floatsIn } from "../tensors/tensor.js";
import { readGenerator } from "./description.js";
import { portFeeds } from "./ports.js";

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
 * @throws GanOnnxError when the file is not a generator of the form that `export` writes, or lacks the classes asked for.
 */
export async function sampleSheet(
  model: Uint8Array,
  { count, columns, seed, digits, place, where }: SampleOptions,
): Promise<Uint8Array> {
  const generator = readGenerator(model, where);
  if (digits) checkDigits(digits, generator.classes, where);
  const session = await Session.open(model, place, where);
  try {
    const { ports } = generator;
    const feeds = drawLatents(randomStream(seed, "sample"), count, generator, digits);
    const outputs = await session.run(ports ? portFeeds(ports, feeds) : feeds);
    const shape = { count, ...generator.image };
    const picture = paintSheet(floatsIn(outputs, ports?.output ?? "image"), shape, {
      range: generator.range,
      columns,
    });
    return await encodePng(picture);
  } finally {
    await session.close();
  }
}

function checkDigits(digits: readonly number[], classes: number | undefined, where: string): void {
  const beyond = digits.find((digit) => digit >= (classes ?? 0));
  if (beyond === undefined) return;
  throw new GanOnnxError({
    what: classes === undefined ? `${where} cannot choose what it draws` : `${where} has no class ${beyond}`,
    where: setting("digits"),
    fix: classes === undefined ? "leave it out" : `choose from 0 to ${classes - 1}`,
    kind: "usage",
  });
}
