import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Dataset, mnistForm } from "../src/data/dataset.js";
import { drawDigits } from "../src/data/drawn.js";
import { encodePng } from "../src/data/png.node.js";
import { paintSheet } from "../src/data/sheet.js";
import type { ImageShape } from "../src/recipes/index.js";
import { idx } from "../test/helpers/idx.js";

/** Drawn digits of any size. Each channel shows another digit. */
export function drawnImages({ channels, height, width }: ImageShape, count: number): Dataset {
  const { images: digits, labels } = drawDigits({ count, seed: 0 });
  const images = new Uint8Array(count * channels * height * width);
  let i = 0;
  for (let image = 0; image < count; image++) {
    for (let channel = 0; channel < channels; channel++) {
      const digit = ((image + channel) % count) * mnistForm.height;
      for (let y = 0; y < height; y++) {
        const row = (digit + Math.floor((y * mnistForm.height) / height)) * mnistForm.width;
        for (let x = 0; x < width; x++) images[i++] = digits[row + Math.floor((x * mnistForm.width) / width)];
      }
    }
  }
  return { name: "drawn", count, channels, height, width, images, labels };
}

/** Write images as an IDX file, with an axis for the channels if there are several. */
export async function writeIdx(
  path: string,
  { images, count, channels, height, width }: Dataset,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, idx([count, ...(channels > 1 ? [channels] : []), height, width], images));
}

/** Write images as PNG files. */
export async function writePngs(folder: string, { images, count, ...shape }: Dataset): Promise<void> {
  await mkdir(folder, { recursive: true });
  const size = images.length / count;
  for (let i = 0; i < count; i++) {
    const image = images.subarray(i * size, (i + 1) * size);
    const picture = paintSheet(image, { count: 1, ...shape }, { range: [0, 255], padding: 0 });
    await writeFile(join(folder, `${i}.png`), await encodePng(picture));
  }
}
