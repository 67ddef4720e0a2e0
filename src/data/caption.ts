import type { Dataset } from "./dataset.js";

/** Digits of 3x5 pixels. Each number is a row of three bits. */
const DIGITS: readonly (readonly number[])[] = [
  [7, 5, 5, 5, 7],
  [2, 6, 2, 2, 7],
  [7, 1, 7, 4, 7],
  [7, 1, 7, 1, 7],
  [5, 5, 7, 1, 1],
  [7, 4, 7, 1, 7],
  [7, 4, 7, 5, 7],
  [7, 1, 2, 2, 2],
  [7, 5, 7, 5, 7],
  [7, 5, 7, 1, 7],
];
const [GLYPH_WIDTH, GLYPH_HEIGHT, MARGIN] = [3, 5, 1];

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
  const height = dataset.height + GLYPH_HEIGHT + 2 * MARGIN;
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
  const step = GLYPH_WIDTH + MARGIN;
  const left = Math.max(MARGIN, Math.floor((width - text.length * step + MARGIN) / 2));
  for (const [position, digit] of Array.from(text, Number).entries()) {
    for (const [y, bits] of DIGITS[digit].entries()) {
      for (let x = 0; x < GLYPH_WIDTH; x++) {
        const column = left + position * step + x;
        const lit = (bits >> (GLYPH_WIDTH - 1 - x)) & 1;
        if (lit === 1 && column < width) strip[(MARGIN + y) * width + column] = ink;
      }
    }
  }
}
