import type { Scores } from "./scores.js";

/** A class is called missing or rare when its share is below this fraction of its share among real images. */
const [MISSING, RARE] = [0.1, 0.5];

/** A generator is said to repeat itself when its diversity is below this value. */
const REPEATS = 0.25;

/**
 * Warnings about scores, mainly for the forms of mode collapse.
 *
 * @param real the share of each class among real images.
 */
export function warningsOf(
  { classes, diversity, recall, agreement }: Scores,
  real: readonly number[],
): string[] {
  const below = (part: number, from: number) =>
    real.flatMap((share, c) => (classes[c] < part * share && classes[c] >= from * share ? [String(c)] : []));
  const [missing, rare] = [below(MISSING, 0), below(RARE, MISSING)];
  const named = (list: readonly string[]) => `${list.length > 1 ? "classes" : "class"} ${list.join(", ")}`;
  return [
    ...(missing.length > 0 ? [`mode collapse: ${named(missing)} hardly drawn`] : []),
    ...(rare.length > 0 ? [`${named(rare)} drawn less than half as often as real images have it`] : []),
    ...(diversity < REPEATS ? ["it repeats itself: images are nearly the same as others"] : []),
    ...(recall < 0.05 ? ["mode collapse: most kinds of real images are never drawn"] : []),
    ...(agreement !== undefined && agreement < 0.5 ? ["the class asked for is seldom the class drawn"] : []),
  ];
}
