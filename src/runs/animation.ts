import { animatedPng } from "../data/apng.js";
import type { RunReport } from "./report-data.js";

/** The maximum number of pictures, and how long one is shown, and the last one, in milliseconds. */
const MOST = 60;
const [EACH, LAST] = [150, 2000];

/** The sheets of a run as an animated PNG that repeats: all of them, or some at equal distances. Undefined without sheets. */
export function animationOf(sheets: RunReport["sheets"]): Uint8Array | undefined {
  if (sheets.length === 0) return undefined;
  const count = Math.min(MOST, sheets.length);
  const frames = Array.from({ length: count }, (_, i) => ({
    png: sheets[count === 1 ? 0 : Math.round((i * (sheets.length - 1)) / (count - 1))].png,
    milliseconds: i + 1 === count ? LAST : EACH,
  }));
  return animatedPng(frames);
}
