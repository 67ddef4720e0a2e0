import { drawText, TEXT_HEIGHT, textWidth } from "./glyphs.js";
import type { Picture } from "./sheet.js";

/** Each pixel of a picture as a square of `scale` by `scale` pixels. */
export function enlarged({ width, height, channels, data }: Picture, scale: number): Picture {
  const [from, to] = [new Uint32Array(data.buffer, data.byteOffset, width * height), scale * width];
  const pixels = new Uint32Array(to * scale * height);
  for (let y = 0; y < scale * height; y++) {
    const row = Math.floor(y / scale) * width;
    for (let x = 0; x < to; x++) pixels[y * to + x] = from[row + Math.floor(x / scale)];
  }
  return { width: to, height: scale * height, channels, data: new Uint8ClampedArray(pixels.buffer) };
}

/** Labels at the margins of a sheet: one above each column, or one left of each row. */
export interface Labels {
  readonly side: "top" | "left";
  readonly texts: readonly string[];
}

/** The longest label, in characters. */
const LONGEST = 16;

/**
 * A sheet of images with labels in a margin, white on black. A label that is too long for its column is cut.
 *
 * @param cell distance from one image to the next along the labels, in pixels.
 * @param dot size of a pixel of the letters, in pixels.
 */
export function withLabels(sheet: Picture, { side, texts }: Labels, cell: number, dot: number): Picture {
  const fitting = side === "top" ? Math.max(1, Math.floor((cell / dot + 1) / 4)) : LONGEST;
  const labels = texts.map((text) => text.slice(0, Math.min(fitting, LONGEST)));
  const [line, gap] = [TEXT_HEIGHT * dot, 2 * dot];
  const left = side === "left" ? Math.max(...labels.map(textWidth)) * dot + 2 * gap : 0;
  const top = side === "top" ? line + 2 * gap : 0;
  const [width, height] = [sheet.width + left, sheet.height + top];
  const data = new Uint8ClampedArray(4 * width * height);
  for (let alpha = 3; alpha < data.length; alpha += 4) data[alpha] = 255;
  for (let y = 0; y < sheet.height; y++) {
    const row = sheet.data.subarray(4 * y * sheet.width, 4 * (y + 1) * sheet.width);
    data.set(row, 4 * ((y + top) * width + left));
  }
  for (const [i, text] of labels.entries()) {
    const middle = (i + 0.5) * cell;
    const x0 = side === "top" ? Math.round(middle - (textWidth(text) * dot) / 2) : gap;
    const y0 = side === "top" ? gap : Math.round(middle - line / 2);
    drawText(text, (x, y) => {
      for (let row = y0 + y * dot; row < y0 + (y + 1) * dot; row++) {
        data.fill(255, 4 * (row * width + x0 + x * dot), 4 * (row * width + x0 + (x + 1) * dot));
      }
    });
  }
  return { width, height, channels: sheet.channels, data };
}
