import type { Shape } from "../dims.js";
import type { Value } from "../value.js";
import { normalizeAxes } from "./infer.js";

/** The shape of x without some axes, or with extent 1 on them. */
export function reducedShape(x: Value, axes: readonly number[], keepdims: number): Shape {
  return keepdims
    ? x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : x.shape.filter((_, axis) => !axes.includes(axis));
}

/** A reduction. The default is all axes; negative axes count from the end. `keepdims` keeps them with extent 1. */
export type Reduction = (
  x: Value,
  axes?: readonly number[],
  options?: { readonly keepdims?: boolean },
) => Value;

/** Make a reduction from a function that gets one or more axes, counted from the front, in ascending order. */
export function reduction(reduce: (x: Value, axes: readonly number[], keepdims: number) => Value): Reduction {
  return (x, axes, { keepdims = false } = {}) => {
    const all = axes ?? x.shape.map((_, axis) => axis);
    const normalized = normalizeAxes("Reduce", all, x.shape.length);
    return normalized.length === 0 ? x : reduce(x, normalized, Number(keepdims));
  };
}
