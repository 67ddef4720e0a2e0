import { type Dataset, gathered } from "../data/dataset.js";
import { type Picture, paintSheet } from "../data/sheet.js";
import { imageShapeOf, pixelsOf } from "../recipes/index.js";
import type { OpenModel } from "../runtime/engine.js";
import { columnOf, Neighbours, type Points, sliced } from "./neighbours.js";

/** The number of samples that are compared with all training images, and the number and columns of those on a sheet. */
const [COMPARED, SHOWN, COLUMNS] = [256, 64, 16];

/** The number of training images per call. */
const AT_ONCE = 10_000;

/** How near images are to the nearest training image, by pixels. */
export interface Copies {
  /** The median distance |a - b| to the nearest training image, for pixels in [-1, 1]. */
  readonly distance: number;
  /** Rows of samples; below each row, the training image nearest to each sample. */
  readonly sheet: Picture;
}

/**
 * Compare images with the training images. Images of a generator that has memorized them are much nearer than other
 * real images.
 *
 * @param others whether the images are themselves training images: use the nearest other image.
 * @param open loads models on the CPU.
 */
export async function copiesIn(
  images: Dataset,
  training: Dataset,
  { others, open }: { others: boolean; open: OpenModel },
): Promise<Copies> {
  const compared = Math.min(COMPARED, images.count);
  const query = sliced(pixelsIn(images), 0, compared);
  const all = pixelsIn(training);
  const k = Math.min(others ? 2 : 1, training.count);
  const best = Array.from({ length: compared }, () => ({ distance: Infinity, index: 0 }));
  const neighbours = new Neighbours(open);
  try {
    for (let first = 0; first < all.count; first += AT_ONCE) {
      const part = sliced(all, first, Math.min(all.count, first + AT_ONCE));
      const found = await neighbours.nearest(query, part, Math.min(k, part.count));
      const width = Math.min(k, part.count);
      for (let i = 0; i < compared * width; i++) {
        const [distance, row] = [found.distances[i], Math.floor(i / width)];
        // In bytes, different images have a distance of at least 1. Rounding can turn a distance of 0 into several
        // tens.
        if ((others && distance < 256) || distance >= best[row].distance) continue;
        best[row] = { distance, index: first + found.indices[i] };
      }
    }
  } finally {
    await neighbours.close();
  }
  // An image whose nearest others are all exact copies of it has none with a distance.
  const distances = Float32Array.from(best, ({ distance }) =>
    Number.isFinite(distance) ? Math.sqrt(distance) / 127.5 : 0,
  );
  const middle = columnOf(distances.toSorted(), 1, 0)[compared >> 1];
  return {
    distance: middle,
    sheet: sheetOf(
      images,
      training,
      best.map(({ index }) => index),
    ),
  };
}

function pixelsIn(dataset: Dataset): Points {
  return { count: dataset.count, width: pixelsOf(dataset), data: dataset.images };
}

function sheetOf(images: Dataset, training: Dataset, nearest: readonly number[]): Picture {
  const shown = Math.min(SHOWN, nearest.length);
  const pixels = pixelsOf(images);
  const rows = Math.ceil(shown / COLUMNS);
  const columns = Math.min(COLUMNS, shown);
  const pairs = new Uint8Array(2 * rows * columns * pixels);
  const found = gathered(training.images, pixels, Uint32Array.from(nearest.slice(0, shown)));
  for (let i = 0; i < shown; i++) {
    const place = (2 * Math.floor(i / columns) * columns + (i % columns)) * pixels;
    pairs.set(images.images.subarray(i * pixels, (i + 1) * pixels), place);
    pairs.set(found.subarray(i * pixels, (i + 1) * pixels), place + columns * pixels);
  }
  const shape = { count: 2 * rows * columns, ...imageShapeOf(images) };
  return paintSheet(pairs, shape, { range: [0, 255], columns });
}
