import type { Dataset } from "./dataset.js";
import { drawText, TEXT_HEIGHT, textWidth } from "./glyphs.js";

const MARGIN = 1;

export interface Caption {
  /** Digits. */
  readonly text: string;
  /** Black on white instead of white on black. */
  readonly inverted: boolean;
}

/**
 * Add a number below each image: seven more rows of pixels, white on black unless inverted. Captions wider than an
 * image are cut off.
 *
 * @param captions one for each image.
 */
export function captioned(dataset: Dataset, captions: readonly Caption[]): Dataset {
  const { count, channels, width } = dataset;
  const height = dataset.height + TEXT_HEIGHT + 2 * MARGIN;
  const images = new Uint8Array(count * channels * height * width);
  for (const [i, { text, inverted }] of captions.entries()) {
    for (let channel = 0; channel < channels; channel++) {
      const plane = i * channels + channel;
      const size = dataset.height * width;
      const target = images.subarray(plane * height * width, (plane + 1) * height * width);
      target.set(dataset.images.subarray(plane * size, (plane + 1) * size));
      write(target.subarray(size), width, text, inverted ? [255, 0] : [0, 255]);
    }
  }
  return { ...dataset, height, images };
}

function write(
  strip: Uint8Array,
  width: number,
  text: string,
  [paper, ink]: readonly [number, number],
): void {
  strip.fill(paper);
  const left = Math.max(MARGIN, Math.floor((width - textWidth(text)) / 2));
  drawText(text, (x, y) => {
    if (left + x < width) strip[(MARGIN + y) * width + left + x] = ink;
  });
}
