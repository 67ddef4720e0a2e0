import { paintSheet } from "../../src/data/sheet.js";
import { drawLatents } from "../../src/recipes/latents.js";
import { randomStream } from "../../src/tensors/random.js";
import { floatsIn } from "../../src/tensors/tensor.js";
import type { Settings } from "./address.js";
import { type Layout, layoutOf } from "./layout.js";
import type { ShownModel } from "./models.js";
import { oneOf, type Point } from "./point.js";
import type { Sheet } from "./sheet-view.js";

/** The pictures of a sheet, before they are drawn. */
export interface PlannedSheet extends Layout {
  readonly points: readonly Point[];
}

/** Plan the sheet of the settings for a model. If rows are not classes, it is the sheet of `gan-onnx sample`. */
export function plannedSheet(
  { seed, count, digit }: Settings,
  { generator }: Pick<ShownModel, "generator">,
): PlannedSheet {
  const { latent, classes } = generator;
  const layout = layoutOf(count, classes, digit);
  const z = floatsIn(drawLatents(randomStream(seed, "sample"), layout.count, { latent }), "z");
  const points = layout.latents.map((index, i) => ({
    z: z.subarray(index * latent, (index + 1) * latent),
    weights: oneOf(classes, layout.labels?.[i] ?? 0),
  }));
  return { ...layout, points };
}

/** A planned sheet with its images. */
export function paintedSheet(
  plan: PlannedSheet,
  images: Float32Array,
  { generator, words }: Pick<ShownModel, "generator" | "words">,
): Sheet {
  const { count, columns, labels, rowsAreClasses } = plan;
  const { one, names, kind, typed } = words;
  const nameOf = (index: number) => {
    const label = labels?.[index];
    const what =
      label === undefined ? one : typed ? `${names[label]}` : `${kind.toLowerCase()} ${names[label]}`;
    return `${what}, ${index + 1} of ${count}`;
  };
  return {
    picture: paintSheet(images, { count, ...generator.image }, { range: generator.range, columns }),
    columns,
    names: Array.from({ length: count }, (_, i) => nameOf(i)),
    // A digit needs no label.
    rows: rowsAreClasses && !typed ? names : [],
  };
}

/** The first and last picture of the initial walk: from one class to another if each class has a row. */
export function endsOf({ columns, rowsAreClasses, count }: PlannedSheet): [from: number, to: number] {
  return rowsAreClasses ? [Math.min(3 * columns, count - 1), Math.min(8 * columns, count - 1)] : [0, 1];
}
