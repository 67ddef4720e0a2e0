import { GanOnnxError } from "../../error.js";
import type { DType } from "../../tensors/tensor.js";
import { broadcastShapes } from "../dims.js";
import type { Value, ValueType } from "../value.js";

/** The type of the first input. */
export function sameAsInput([x]: readonly Value[]): ValueType {
  return { dtype: x.dtype, shape: x.shape };
}

/**
 * The broadcast shape and the common dtype of all inputs.
 *
 * @throws {@link GanOnnxError} when dtypes differ or shapes do not broadcast.
 */
export function broadcast(operator: string, inputs: readonly Value[]): ValueType {
  sameDType(operator, inputs);
  return {
    dtype: inputs[0].dtype,
    shape: broadcastShapes(
      operator,
      inputs.map((value) => value.shape),
    ),
  };
}

export function sameDType(operator: string, inputs: readonly Pick<Value, "dtype">[]): DType {
  const dtypes = new Set(inputs.map((value) => value.dtype));
  if (dtypes.size > 1) {
    throw new GanOnnxError({
      what: `dtypes differ: ${[...dtypes].join(" and ")}`,
      where: operator,
      fix: "cast() one of the inputs",
    });
  }
  return inputs[0].dtype;
}

/**
 * An axis counted from the front. Negative axes count from the end.
 *
 * @throws {@link GanOnnxError} when there is no such axis.
 */
export function normalizeAxis(operator: string, axis: number, rank: number): number {
  const normalized = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normalized < 0 || normalized >= rank) {
    throw new GanOnnxError({
      what: `axis ${axis} of a value of rank ${rank}`,
      where: operator,
      fix: `name an axis from ${-rank} to ${rank - 1}`,
    });
  }
  return normalized;
}

/**
 * Several axes counted from the front, in ascending order.
 *
 * @throws {@link GanOnnxError} when an axis does not exist or is repeated.
 */
export function normalizeAxes(operator: string, axes: readonly number[], rank: number): readonly number[] {
  const normalized = axes.map((axis) => normalizeAxis(operator, axis, rank)).sort((a, b) => a - b);
  if (new Set(normalized).size === normalized.length) return normalized;
  throw new GanOnnxError({
    what: `axes ${axes.join(", ")} of a value of rank ${rank}`,
    where: operator,
    fix: "name each axis once",
  });
}
