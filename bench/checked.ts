import type { Tensors } from "../src/tensors/tensor.js";

/** The first steps, whose metrics are compared. */
export const CHECKED = 3;

/** The metrics of the first steps, those of repeated phases one after the other. */
export function firstOf(outputs: Tensors, steps: number): Record<string, readonly number[]> {
  return Object.fromEntries(
    [...outputs].map(([name, { data }]) => {
      const checked = (data.length / steps) * Math.min(CHECKED, steps);
      return [name, Array.from(data.subarray(0, checked), Number)];
    }),
  );
}
