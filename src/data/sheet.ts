import { GanOnnxError } from "../error.js";

/** Pixels between the images of a sheet and around it, unless given. */
export const PADDING = 2;

export interface SheetShape {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export interface SheetOptions {
  /** The values that become 0 and 255. Values outside are clamped. */
  readonly range: readonly [number, number];
  /** Images per row. By default the grid is nearly square. */
  readonly columns?: number;
  /** Black pixels between images and around the grid. */
  readonly padding?: number;
}

/** A picture in memory: four bytes per pixel, red, green, blue and opacity. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** 1 for grey, otherwise 3. */
  readonly channels: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/**
 * Arrange images in rows, like torchvision's `save_image`.
 *
 * @param images `[count, channels, height, width]`, 1 channel (grey) or 3 (red, green, blue).
 * @returns a picture of `columns * (width + padding) + padding` by `rows * (height + padding) + padding` pixels. A
 * value `v` becomes `255 (v - low) / (high - low)`, rounded.
 * @throws {@link GanOnnxError} when the length of `images` does not match `shape`, or an option is out of range.
 */
export function paintSheet(
  images: Float32Array | Uint8Array,
  shape: SheetShape,
  options: SheetOptions,
): Picture {
  const { count, channels, height, width } = shape;
  const { range, columns = Math.ceil(Math.sqrt(count)), padding = PADDING } = options;
  const [low, high] = range;
  check(count >= 1, "count", `is ${count}, expected at least 1`);
  check(channels === 1 || channels === 3, "channels", `is ${channels}, expected 1 or 3`);
  const expected = count * channels * height * width;
  check(images.length === expected, "images", `has ${images.length} values, expected ${expected}`);
  check(
    Number.isInteger(columns) && columns >= 1,
    "columns",
    `is ${columns}, expected a whole number from 1`,
  );
  check(
    Number.isInteger(padding) && padding >= 0,
    "padding",
    `is ${padding}, expected a whole number from 0`,
  );
  check(low < high, "range", `is ${low} to ${high}, expected it to rise`);

  const across = Math.min(columns, count);
  const sheetWidth = across * (width + padding) + padding;
  const sheetHeight = Math.ceil(count / across) * (height + padding) + padding;
  // A clamped array rounds and clamps assigned values.
  const pixels = new Uint8ClampedArray(sheetWidth * sheetHeight * 4);
  for (let alpha = 3; alpha < pixels.length; alpha += 4) pixels[alpha] = 255;
  const area = height * width;
  for (let index = 0; index < count; index++) {
    const left = padding + (index % across) * (width + padding);
    const top = padding + Math.floor(index / across) * (height + padding);
    for (let pixel = 0; pixel < area; pixel++) {
      const to = 4 * ((top + Math.floor(pixel / width)) * sheetWidth + left + (pixel % width));
      for (let color = 0; color < 3; color++) {
        const plane = index * channels + Math.min(color, channels - 1);
        pixels[to + color] = (255 * (images[plane * area + pixel] - low)) / (high - low);
      }
    }
  }
  return { width: sheetWidth, height: sheetHeight, channels, data: pixels };
}

function check(holds: boolean, field: string, what: string): void {
  if (!holds) throw new GanOnnxError({ what: `${field} ${what}`, where: "sheet", fix: "correct the call" });
}
