import { GanOnnxError, setting } from "../error.js";
import { drawLatents } from "../recipes/latents.js";
import { randomStream } from "../tensors/random.js";
import { floatsIn, type Tensors } from "../tensors/tensor.js";
import type { Generator } from "./description.js";
import { slerp } from "./latent.js";

/** The arrangement of the images of a sheet. */
export const layouts = ["samples", "walk", "styles"] as const;
export type Layout = (typeof layouts)[number];

/** The inputs of a generator for a sheet, and the positions of its images. */
export interface Arrangement {
  readonly count: number;
  readonly columns: number;
  readonly feeds: Tensors;
  /** The class of each image, for models with classes. */
  readonly classes?: readonly number[];
}

export interface ArrangementOptions {
  readonly count?: number;
  readonly columns?: number;
  readonly seed: number;
  /** The classes to draw, in turn. The default is all classes. */
  readonly classes?: readonly number[];
}

/** Images of a sheet of samples, images in a row of the other layouts, and rows of a walk through a model without classes. */
const [COUNT, ACROSS, WALKS] = [64, 10, 8];
/** The maximum number of classes with one column each. */
const MOST_COLUMNS = 20;

/**
 * Arrange a sheet.
 *
 * - `samples`: random latents, the classes in turn. As many columns as classes, otherwise a nearly square sheet.
 * - `walk`: each row interpolates spherically from one latent to the next, with one class.
 * - `styles`: a row for each class, a column for each latent.
 *
 * Equal seeds give equal latents; the first ones do not depend on `count`.
 *
 * @param where the file of the model, for messages.
 * @throws {@link GanOnnxError} (usage) when a model without classes is asked for styles.
 */
export function arrange(
  layout: Layout,
  generator: Pick<Generator, "latent" | "classes">,
  options: ArrangementOptions,
  where: string,
): Arrangement {
  const { classes } = generator;
  const all = classes === undefined ? undefined : Array.from({ length: classes }, (_, label) => label);
  const wanted = options.classes ?? all;
  if (layout === "styles" && !wanted) {
    throw new GanOnnxError({
      what: `${where} has no classes`,
      where: setting("styleGrid"),
      fix: "choose a model with classes, or leave it out",
      kind: "usage",
    });
  }
  const random = () => randomStream(options.seed, "sample");
  if (layout === "samples") {
    const { count = COUNT } = options;
    const square = Math.ceil(Math.sqrt(count));
    // A column has one class. Few classes have several columns each, or the sheet would be a tower.
    const one = wanted && wanted.length > 1 && wanted.length <= MOST_COLUMNS ? wanted.length : square;
    const columns = Math.min(count, options.columns ?? one * Math.max(1, Math.floor(square / one)));
    const labels = wanted && Array.from({ length: count }, (_, i) => wanted[i % wanted.length]);
    return { count, columns, feeds: drawLatents(random(), count, generator, labels), classes: labels };
  }
  const { columns = ACROSS } = options;
  const rows = Math.max(1, Math.ceil((options.count ?? columns * (wanted?.length ?? WALKS)) / columns));
  const count = rows * columns;
  const labels =
    wanted && Array.from({ length: count }, (_, i) => wanted[Math.floor(i / columns) % wanted.length]);
  const needed = layout === "walk" ? rows + 1 : columns;
  const { latent } = generator;
  const drawn = floatsIn(drawLatents(random(), needed, { latent }), "z");
  const at = (i: number) => drawn.subarray(i * latent, (i + 1) * latent);
  const data = new Float32Array(count * latent);
  for (let i = 0; i < count; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const share = columns > 1 ? column / (columns - 1) : 0;
    data.set(layout === "walk" ? slerp(at(row), at(row + 1), share) : at(column), i * latent);
  }
  const feeds = new Map(drawLatents(random(), count, generator, labels));
  feeds.set("z", { dtype: "float32", shape: [count, latent], data });
  return { count, columns, feeds, classes: labels };
}

/** The classes of the columns if each column has one class, otherwise those of the rows. Undefined if neither has. */
export function labelsOf({
  count,
  columns,
  classes,
}: Arrangement): { side: "top" | "left"; classes: readonly number[] } | undefined {
  if (!classes || new Set(classes).size < 2) return undefined;
  const groups = (of: (i: number) => number): number[] | undefined => {
    const found: number[] = [];
    for (let i = 0; i < count; i++) {
      found[of(i)] ??= classes[i];
      if (found[of(i)] !== classes[i]) return undefined;
    }
    return found;
  };
  const rows = groups((i) => Math.floor(i / columns));
  if (rows && rows.length > 1) return { side: "left", classes: rows };
  const tops = groups((i) => i % columns);
  return tops && { side: "top", classes: tops };
}
