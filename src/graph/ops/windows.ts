import { GanOnnxError } from "../../error.js";
import { isStatic, shapeError } from "../dims.js";
import type { Value } from "../value.js";
import { squeeze, unsqueeze } from "./reshape.js";

/** How ONNX names padding that is computed: none, or such that the stride divides images evenly. */
export type AutoPad = "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER";

/** How a window walks over one axis or two, as ONNX has it: `pads` are all before, then all after. */
export interface WindowOptions {
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  readonly pads?: readonly number[];
  readonly autoPad?: AutoPad;
}

/** The same with everything said. */
export interface Windows {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

/** How far a kernel reaches over an axis. */
export function reachOf(kernel: number, dilation: number): number {
  return dilation * (kernel - 1) + 1;
}

/** Twice two numbers for a total of padding: what is odd goes to the end, or with SAME_LOWER to the start. */
export function shared(total: number, autoPad: AutoPad): readonly [number, number] {
  const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
  return autoPad === "SAME_LOWER" ? [more, less] : [less, more];
}

/** The extents of the axes after batch and channels, as many as the kernel has. Throws where one is not a number. */
export function spatialSizes(where: string, x: Value, kernel: readonly number[]): readonly number[] {
  const spatial = x.shape.slice(2);
  if (spatial.length === kernel.length && isStatic(spatial)) return spatial;
  throw shapeError(where, `batch, channels and ${kernel.length} axes of known extent are needed`, [x.shape]);
}

/** Strides, dilations and pads in full, computed for `autoPad` from the extents. Throws where a number is missing. */
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
    return shared(Math.max(total, 0), autoPad);
  });
  return { ...full, pads: [...both.map(([before]) => before), ...both.map(([, after]) => after)] };
}

/** Operators on signals [batch, channels, length] are those on images one pixel high. */
export function asImages(x: Value): Value {
  return x.shape.length === 3 ? unsqueeze(x, [2]) : x;
}

/** The way back: an image one pixel high as a signal, if `like` is one. */
export function asSignals(y: Value, like: Value): Value {
  return like.shape.length === 3 ? squeeze(y, [2]) : y;
}

/** Numbers for one axis as those for two; pads have two for each. */
export function forImages(numbers: readonly number[], standard: number): readonly number[] {
  if (numbers.length === 1) return [standard, ...numbers];
  return numbers;
}

/** Windows over one axis as those over two, the first of which is one pixel high. */
export function windowsForImages({ strides, dilations, pads }: Windows): Windows {
  return {
    strides: forImages(strides, 1),
    dilations: forImages(dilations, 1),
    pads: pads.length === 2 ? [0, pads[0], 0, pads[1]] : pads,
  };
}
