import { animatedPng } from "../../src/data/apng.js";
import type { Picture } from "../../src/data/sheet.js";

/** The maximum number of pictures, and the duration of each picture and of the last one, in milliseconds. */
const MOST = 40;
const [EACH, LAST] = [150, 2000];

/**
 * Make an animated PNG of pictures with equal size. Of many pictures, use evenly spaced ones. Undefined for fewer than
 * two.
 */
export async function animationOf(pictures: readonly Picture[]): Promise<Blob | undefined> {
  if (pictures.length < 2) return undefined;
  const count = Math.min(MOST, pictures.length);
  const chosen = Array.from(
    { length: count },
    (_, i) => pictures[Math.round((i * (pictures.length - 1)) / (count - 1))],
  );
  const frames = await Promise.all(
    chosen.map(async ({ width, height, data }, i) => {
      const canvas = new OffscreenCanvas(width, height);
      canvas.getContext("2d")?.putImageData(new ImageData(data, width, height), 0, 0);
      const png = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
      return { png, milliseconds: i + 1 === count ? LAST : EACH };
    }),
  );
  return new Blob([animatedPng(frames)], { type: "image/png" });
}
