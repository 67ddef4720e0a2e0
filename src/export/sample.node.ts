import { encodePng } from "../data/png.node.js";
import { paintSheet } from "../data/sheet.js";
import { GanOnnxError, setting } from "../error.js";
import { drawLatents } from "../recipes/latents.js";
import { Session, type SessionPlace } from "../runtime/session.node.js";
import { randomStream } from "../tensors/random.js";
import { floatsIn } from "../tensors/tensor.js";
import { type Generator, readGenerator } from "./description.js";
import { portFeeds } from "./ports.js";

export interface SampleOptions {
  readonly count: number;
  readonly columns?: number;
  /** Equal seeds give equal latents. The first latents do not depend on `count`. */
  readonly seed: number;
  /** The classes of the images, in turn. Only for models with classes. */
  readonly digits?: readonly number[];
  /** The same, as numbers or names. */
  readonly classes?: readonly string[];
  readonly place: SessionPlace;
  /** The name of the model for messages, e.g. its file. */
  readonly where: string;
}

/**
 * Draw a sheet of samples from an exported generator.
 *
 * @returns a PNG.
 * @throws {@link GanOnnxError} when the file is not a generator as `export` writes it, or does not have the requested
 * classes.
 */
export async function sampleSheet(
  model: Uint8Array,
  { count, columns, seed, digits, classes, place, where }: SampleOptions,
): Promise<Uint8Array> {
  const generator = readGenerator(model, where);
  const numbers = classes ? numbersOf(classes, generator, where) : digits;
  if (numbers) checkClasses(numbers, generator.classes, where, classes ? "classes" : "digits");
  const session = await openGenerator(model, generator, { place, where });
  try {
    const { ports } = generator;
    const feeds = drawLatents(randomStream(seed, "sample"), count, generator, numbers);
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

/** Load a generator on an execution provider. */
export function openGenerator(
  model: Uint8Array,
  { loops }: Generator,
  { place, where }: Pick<SampleOptions, "place" | "where">,
): Promise<Session> {
  return Session.open(model, loops ? { ...place, cpuNodes: true } : place, where);
}

/** Convert class names to numbers. A number is accepted unless a class has that name. */
function numbersOf(
  names: readonly string[],
  { classes, classNames = [] }: Generator,
  where: string,
): number[] {
  return names.map((name) => {
    const named = classNames.indexOf(name);
    if (named >= 0) return named;
    if (/^\d+$/.test(name)) return Number(name);
    throw new GanOnnxError({
      what:
        classes === undefined ? `${where} has no classes` : `${where} has no class ${JSON.stringify(name)}`,
      where: setting("classes"),
      fix:
        classNames.length > 0
          ? `choose from ${classNames.join(", ")}`
          : `choose from 0 to ${(classes ?? 1) - 1}`,
      kind: "usage",
    });
  });
}

function checkClasses(
  numbers: readonly number[],
  classes: number | undefined,
  where: string,
  key: "classes" | "digits",
): void {
  const invalid = numbers.find((number) => number >= (classes ?? 0));
  if (invalid === undefined) return;
  throw new GanOnnxError({
    what: classes === undefined ? `${where} cannot choose what it draws` : `${where} has no class ${invalid}`,
    where: setting(key),
    fix: classes === undefined ? "leave it out" : `choose from 0 to ${classes - 1}`,
    kind: "usage",
  });
}
