import type { Dataset } from "../data/dataset.js";
import type { Generator } from "../export/description.js";
import { drawn } from "../export/draw.js";
import { pixelsOf } from "../recipes/index.js";
import { drawLatents } from "../recipes/latents.js";
import type { LoadedModel } from "../runtime/engine.js";
import { randomStream } from "../tensors/random.js";

/** The number of images per call. */
const AT_ONCE = 500;

/**
 * Draw images from a generator, rounded to bytes as in an image file. If the generator has classes, the images have all
 * classes in turn, and these are their labels.
 *
 * @param seed equal seeds give equal images.
 */
export async function generated(
  model: LoadedModel,
  generator: Generator,
  { count, seed, name }: { count: number; seed: number; name: string },
): Promise<Dataset> {
  const { image, classes, range } = generator;
  const [low, high] = range;
  const pixels = pixelsOf(image);
  // A clamped array rounds and clamps assigned values.
  const bytes = new Uint8ClampedArray(count * pixels);
  for (let first = 0, part = 0; first < count; first += AT_ONCE, part++) {
    const rows = Math.min(AT_ONCE, count - first);
    const partLabels = classes === undefined ? undefined : labelsFrom(first, rows, classes);
    const feeds = drawLatents(randomStream(seed, "evaluate", "samples", part), rows, generator, partLabels);
    const made = await drawn(model, generator, feeds);
    const target = bytes.subarray(first * pixels, (first + rows) * pixels);
    for (let i = 0; i < target.length; i++) target[i] = (255 * (made[i] - low)) / (high - low);
  }
  const images = new Uint8Array(bytes.buffer);
  const labels = classes === undefined ? undefined : Uint8Array.from(labelsFrom(0, count, classes));
  return { name, count, ...image, images, labels };
}

function labelsFrom(first: number, count: number, classes: number): number[] {
  return Array.from({ length: count }, (_, i) => (first + i) % classes);
}
