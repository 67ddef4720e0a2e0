import type { CurvePoint } from "../ui/curves.js";

/** The most points of the curves that are kept; then each two become one. */
const MOST_POINTS = 2000;

/** No more than so many points, each standing for twice as many steps when there were too many. */
export function thinned(points: readonly CurvePoint[]): readonly CurvePoint[] {
  return points.length <= MOST_POINTS ? points : points.filter((_, i) => i % 2 === 1);
}
