import { fileURLToPath } from "node:url";
import { enlarged, withLabels } from "../data/margins.js";
import { encodePng } from "../data/png.node.js";
import { PADDING, type Picture, paintSheet } from "../data/sheet.js";
import { GanOnnxError, setting } from "../error.js";
import { Session, type SessionPlace } from "../runtime/session.node.js";
import { type Generator, readGenerator } from "./description.js";
import { drawn } from "./draw.js";
import { type Arrangement, arrange, type Layout, labelsOf } from "./layout.js";

/** The generator in this package, see models/README.md. */
export const packagedGenerator = fileURLToPath(new URL("../../models/generator.onnx", import.meta.url));

export interface SampleOptions {
  /** Number of images. The default depends on the layout. */
  readonly count?: number;
  readonly columns?: number;
  /** Equal seeds give equal latents. The first latents do not depend on `count`. */
  readonly seed: number;
  /** The classes of the images, in turn. Only for models with classes. */
  readonly digits?: readonly number[];
  /** The same, as numbers or names. */
  readonly classes?: readonly string[];
  /** See `arrange`. The default is `samples`. */
  readonly layout?: Layout;
  /**
   * Pixels of the sheet for a pixel of an image, in both directions; `auto` makes the sheet about 800 pixels wide. Any
   * other value than 1, the default, also writes the classes at the margin.
   */
  readonly scale?: number | "auto";
  readonly place: SessionPlace;
  /** The name of the model for messages, e.g. its file. */
  readonly where: string;
}

/** The width of a sheet whose scale is `auto`, and the size of its letters' pixels, in pixels. */
const [WIDTH, DOT] = [800, 3];
/** The maximum size of a sheet, in pixels. */
const LARGEST = 2 ** 27;

/**
 * Draw a sheet of samples from an exported generator.
 *
 * @returns a PNG.
 * @throws {@link GanOnnxError} when the file is not a generator as `export` writes it, or does not have the requested
 * classes; of kind usage when the sheet would be too large.
 */
export async function sampleSheet(model: Uint8Array, options: SampleOptions): Promise<Uint8Array> {
  const { layout = "samples", scale: wanted = 1, digits, classes, place, where } = options;
  const generator = readGenerator(model, where);
  const numbers = classes ? numbersOf(classes, generator, where) : digits;
  if (numbers) checkClasses(numbers, generator.classes, where, classes ? "classes" : "digits");
  const { count: given = 64 } = options;
  const columns =
    options.columns ?? (wanted === 1 && layout === "samples" ? Math.ceil(Math.sqrt(given)) : undefined);
  const arrangement = arrange(layout, generator, { ...options, columns, classes: numbers }, where);
  const { width, height } = generator.image;
  const across = arrangement.columns * (width + PADDING) + PADDING;
  const scale = wanted === "auto" ? Math.max(1, Math.round(WIDTH / across)) : wanted;
  const rows = Math.ceil(arrangement.count / arrangement.columns);
  if (across * (rows * (height + PADDING) + PADDING) * scale ** 2 > LARGEST) {
    throw new GanOnnxError({
      what: "makes the sheet too large",
      where: setting(wanted === scale ? "scale" : "count", wanted === scale ? scale : arrangement.count),
      fix: "choose a smaller number",
      kind: "usage",
    });
  }
  const session = await openGenerator(model, generator, { place, where });
  try {
    const { range, image } = generator;
    const { count, feeds } = arrangement;
    const images = await drawn(session, generator, feeds);
    const sheet = paintSheet(images, { count, ...image }, { range, columns: arrangement.columns });
    return await encodePng(
      wanted === 1 ? sheet : labelled(enlarged(sheet, scale), scale, arrangement, generator),
    );
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

/** A sheet with the names of the classes at the margin, if its columns or rows have one class each. */
function labelled(
  sheet: Picture,
  scale: number,
  arrangement: Arrangement,
  { classNames, image }: Generator,
): Picture {
  const labels = labelsOf(arrangement);
  if (!labels) return sheet;
  const { side, classes } = labels;
  const texts = classes.map((label) => classNames?.[label] ?? String(label));
  const cell = scale * ((side === "top" ? image.width : image.height) + PADDING);
  return withLabels(sheet, { side, texts }, cell, DOT);
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
