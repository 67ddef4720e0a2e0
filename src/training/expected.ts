import { formatShape, type Shape, sameShape } from "../graph/index.js";
import type { DType, Tensors } from "../tensors/tensor.js";

/** What a tensor in a file should be. */
export interface Expected {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Complaints for a message: the first ones, and how many there are besides. */
export function listed(complaints: readonly string[], most = 6): string {
  const more = complaints.length - most;
  return more > 1 ? `${complaints.slice(0, most).join(", ")}, and ${more} more` : complaints.join(", ");
}

/**
 * Everything by which tensors differ from those expected, for one message: what is missing, what has another type or
 * shape, and what is extra, unless that is allowed. Empty when all is well.
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
