import { GanOnnxError } from "../../error.js";
import { isStatic, shapeError } from "../dims.js";
import type { Value } from "../value.js";
import { squeeze, unsqueeze } from "./reshape.js";

/** ONNX's modes of automatic padding: none, or padding so that the stride divides the image evenly. */
export type AutoPad = "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER";

/** How a window moves over one or two axes, as in ONNX: `pads` are all starts, then all ends. */
export interface WindowOptions {
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  readonly pads?: readonly number[];
  readonly autoPad?: AutoPad;
}

/** The same with all values given. */
export interface Windows {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

/** The number of elements between the first and the last tap of a kernel, inclusive. */
export function reachOf(kernel: number, dilation: number): number {
  return dilation * (kernel - 1) + 1;
}

/** Split a total padding into start and end. An odd element goes to the end, or with SAME_LOWER to the start. */
export function halves(total: number, autoPad: AutoPad): readonly [number, number] {
  const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
  return autoPad === "SAME_LOWER" ? [more, less] : [less, more];
}

/**
 * The extents of the axes after batch and channels, as many as the kernel has.
 *
 * @throws {@link GanOnnxError} when an extent is not a number.
 */
export function spatialSizes(where: string, x: Value, kernel: readonly number[]): readonly number[] {
  const spatial = x.shape.slice(2);
  if (spatial.length === kernel.length && isStatic(spatial)) return spatial;
  throw shapeError(where, `batch, channels and ${kernel.length} axes of known extent are needed`, [x.shape]);
}

/**
 * Complete strides, dilations and pads; pads are computed from the extents if `autoPad` requires it.
 *
 * @throws {@link GanOnnxError} when a number is missing or invalid.
 */
export function windowsOf(
  where: string,
  sizes: readonly number[],
  kernel: readonly number[],
  { strides, dilations, pads, autoPad = "NOTSET" }: WindowOptions,
): Windows {
  const rank = kernel.length;
  const all = (
    name: string,
    values: readonly number[] | undefined,
    standard: number,
    count = rank,
    least = 1,
  ) => {
    const numbers = values ?? Array<number>(count).fill(standard);
    if (numbers.length === count && numbers.every((n) => Number.isInteger(n) && n >= least)) return numbers;
    throw new GanOnnxError({
      what: `${name} ${numbers.join(", ")} for ${rank} axes`,
      where,
      fix: `give ${count} whole numbers of at least ${least}`,
    });
  };
  const full = { strides: all("strides", strides, 1), dilations: all("dilations", dilations, 1) };
  if (autoPad === "NOTSET") return { ...full, pads: all("pads", pads, 0, 2 * rank, 0) };
  if (autoPad === "VALID") return { ...full, pads: Array<number>(2 * rank).fill(0) };
  const both = sizes.map((size, i) => {
    const steps = Math.ceil(size / full.strides[i]) - 1;
    const total = steps * full.strides[i] + reachOf(kernel[i], full.dilations[i]) - size;
    return halves(Math.max(total, 0), autoPad);
  });
  return { ...full, pads: [...both.map(([before]) => before), ...both.map(([, after]) => after)] };
}

/** Convert signals [batch, channels, length] to images with a height of 1. */
export function asImages(x: Value): Value {
  return x.shape.length === 3 ? unsqueeze(x, [2]) : x;
}

/** Convert an image with a height of 1 back to a signal, if `like` is a signal. */
export function asSignals(y: Value, like: Value): Value {
  return like.shape.length === 3 ? squeeze(y, [2]) : y;
}

/** Extend numbers for one axis to two axes. */
export function forImages(numbers: readonly number[], standard: number): readonly number[] {
  if (numbers.length === 1) return [standard, ...numbers];
  return numbers;
}

/** Extend windows over one axis to two axes, the first of extent 1. */
export function windowsForImages({ strides, dilations, pads }: Windows): Windows {
  return {
    strides: forImages(strides, 1),
    dilations: forImages(dilations, 1),
    pads: pads.length === 2 ? [0, pads[0], 0, pads[1]] : pads,
  };
}
