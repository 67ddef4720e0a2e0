import { formatShape, type Shape, sameShape } from "../graph/index.js";
import type { DType, Tensors } from "../tensors/tensor.js";

/** The expected type of a tensor in a file. */
export interface Expected {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Join complaints for a message: the first ones, and the number of the others. */
export function listed(complaints: readonly string[], most = 6): string {
  const more = complaints.length - most;
  return more > 1 ? `${complaints.slice(0, most).join(", ")}, and ${more} more` : complaints.join(", ");
}

/**
 * All differences between tensors and the expected ones, for one message: missing, wrong type or shape, and unexpected
 * (unless allowed). Empty if there are none.
 */
export function differences(
  found: Tensors,
  expected: ReadonlyMap<string, Expected>,
  { allowExtra = false } = {},
): string[] {
  const complaints = [...expected].flatMap(([name, { dtype, shape }]) => {
    const tensor = found.get(name);
    if (!tensor) return [`${name} is missing`];
    if (tensor.dtype === dtype && sameShape(tensor.shape, shape)) return [];
    return [
      `${name} is ${tensor.dtype} ${formatShape(tensor.shape)} instead of ${dtype} ${formatShape(shape)}`,
    ];
  });
  const extra = allowExtra ? [] : [...found.keys()].filter((name) => !expected.has(name));
  return [...complaints, ...extra.map((name) => `${name} is extra`)];
}
