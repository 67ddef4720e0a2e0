import { GanOnnxError } from "../../error.js";
import { type Dim, type Shape, sameShape, shapeError } from "../dims.js";
import { defineOp, type Op } from "../operator.js";
import { int64s, type Operand, scalar, type Value } from "../value.js";
import { sub } from "./elementwise.js";
import { normalizeAxis, sameDType } from "./infer.js";
import { sum } from "./reduce.js";
import { reshape } from "./reshape.js";
import { concat } from "./shape.js";
import { expand } from "./tile.js";

/**
 * A part of an axis, as Python's start:end:step. Negative numbers count from the end; ends are clipped to the extent.
 */
export interface Range {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step?: number;
  /** The number of elements, required when a part of a symbolic axis is taken. */
  readonly extent?: Dim;
}

/** The end of a slice to the last element, or, negated, of a backward slice to the first element. */
const FAR = 2 ** 31 - 1;

/** The numbers for each axis of x, for slices and zero padding, which are inverse to each other. */
interface Bounds {
  readonly to: Shape;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

const sliceSchema = { to: "dims", starts: "dims", ends: "dims", steps: "dims" } as const;

export const sliceOp: Op<
  [x: Value, starts: Value, ends: Value, axes: Value, steps: Value],
  typeof sliceSchema
> = defineOp({
  type: "Slice",
  attributes: sliceSchema,
  infer: ([x], { to }) => ({ dtype: x.dtype, shape: to }),
  vjp: ([x], _, g, attributes) => {
    const [starts, ends, steps] = [attributes.starts, attributes.ends, attributes.steps].map(
      (numbers) => numbers as readonly number[],
    );
    return [spreadOut(g, x.shape, { to: attributes.to, starts, ends }, steps), null, null, null, null];
  },
});

/** The number of elements before the first and after the last element taken from an axis. */
function margins(
  extent: Dim,
  start: number,
  end: number,
  step: number,
  count: Dim,
): readonly [number, number] {
  if (typeof extent === "number") {
    const [first, last] = [start, start + step * (Number(count) - 1)];
    const [low, high] = step > 0 ? [first, last] : [last, first];
    return Number(count) === 0 ? [0, extent] : [low, extent - 1 - high];
  }
  if (extent === count) return [0, 0];
  if (step === 1 && start >= 0 && (end < 0 || end === FAR)) return [start, end < 0 ? -end : 0];
  throw new GanOnnxError({
    what: `no gradient of ${start}:${end}:${step} of an axis of unknown extent ${extent}`,
    where: "Slice",
    fix: "give the axis a number, or count from its ends",
  });
}

/** The gradient of a slice: g at the positions of the slice, zeros elsewhere. */
function spreadOut(g: Value, shape: Shape, { to, starts, ends }: Bounds, steps: readonly number[]): Value {
  const both = shape.map((extent, axis) => margins(extent, starts[axis], ends[axis], steps[axis], to[axis]));
  let spread = g;
  for (const [axis, step] of steps.entries()) {
    if (step < 0) spread = slice(spread, [{ axis, start: -1, end: -FAR, step: -1 }]);
    if (Math.abs(step) > 1 && to[axis] !== 0) spread = stretch(spread, axis, Math.abs(step));
  }
  return padded(spread, both, shape);
}

/** Insert step - 1 zeros between adjacent elements of an axis. */
function stretch(x: Value, axis: number, step: number): Value {
  const count = x.shape[axis] as number;
  const apart = reshape(x, x.shape.toSpliced(axis + 1, 0, 1));
  const filled = padded(
    apart,
    apart.shape.map((_, i) => [0, i === axis + 1 ? step - 1 : 0]),
    apart.shape.with(axis + 1, step),
  );
  const joined = reshape(filled, x.shape.with(axis, count * step));
  return slice(joined, [{ axis, start: 0, end: (count - 1) * step + 1 }]);
}

/**
 * Take parts of x. https://onnx.ai/onnx/operators/onnx__Slice.html
 *
 * @throws {@link GanOnnxError} when only a part of a symbolic axis is taken and the range has no `extent`.
 */
export function slice(x: Value, ranges: readonly Range[]): Value {
  const shape = [...x.shape];
  const [starts, ends, steps] = [x.shape.map(() => 0), x.shape.map(() => FAR), x.shape.map(() => 1)];
  const cut = new Set<number>();
  for (const range of ranges) {
    const axis = normalizeAxis("Slice", range.axis, shape.length);
    const found = bounds(shape[axis], range);
    if (found.step === 1 && found.count === shape[axis]) continue;
    [starts[axis], ends[axis], steps[axis]] = [found.start, found.end, found.step];
    if (found.count === undefined) {
      throw shapeError("Slice", `how much ${range.start}:${range.end} is of axis ${axis} is not known`, [
        x.shape,
      ]);
    }
    shape[axis] = found.count;
    cut.add(axis);
  }
  if (cut.size === 0) return x;
  const axes = [...cut].sort((a, b) => a - b);
  const numbers = [starts, ends, axes.map((axis) => axis), steps].map((all, i) =>
    int64s(i === 2 ? all : axes.map((axis) => all[axis])),
  ) as [Value, Value, Value, Value];
  return sliceOp(x, ...numbers, { to: shape, starts, ends, steps });
}

/** A range in the operator's terms, clipped to the extent if it is known, and the number of its elements. */
function bounds(extent: Dim, { start, end, step = 1, extent: count }: Range) {
  if (!Number.isInteger(step) || step === 0) {
    throw new GanOnnxError({
      what: `step ${step}`,
      where: "Slice",
      fix: "choose a whole number other than 0",
    });
  }
  if (typeof extent !== "number") {
    const forward = start === 0 && end >= FAR;
    const backward = start === -1 || start >= FAR;
    const whole = step === 1 ? forward : step === -1 && backward && end <= -FAR;
    const far = Math.max(-FAR, Math.min(FAR, end));
    return { start: Math.min(start, FAR), end: far, step, count: whole ? extent : count };
  }
  const [low, high] = step > 0 ? [0, extent] : [-1, extent - 1];
  const cut = (at: number) => Math.min(Math.max(at < 0 ? at + extent : at, low), high);
  const [first, last] = [cut(start), cut(end)];
  const taken = Math.max(0, Math.ceil((last - first) / step));
  if (taken === 0) return { start: 0, end: 0, step: 1, count: 0 };
  // An end of -1 would mean the last element. A backward slice to the first element ends at a large negative number.
  return { start: first, end: last < 0 ? -FAR : last, step, count: taken };
}

const padSchema = { to: "dims", before: "dims", after: "dims" } as const;

export const padOp: Op<[x: Value, pads: Value, ...value: Value[]], typeof padSchema> = defineOp({
  type: "Pad",
  attributes: padSchema,
  infer: ([x, , ...value], { to }) => ({ dtype: sameDType("Pad", [x, ...value]), shape: to }),
  vjp: ([x, , ...value], _, g, { before, after }) => {
    const inner = () =>
      slice(
        g,
        x.shape.map((extent, axis) => ({
          axis,
          start: Number(before[axis]),
          end: Number(after[axis]) === 0 ? FAR : -Number(after[axis]),
          extent,
        })),
      );
    return [inner, null, ...value.map(() => () => sub(sum(g), sum(inner())))];
  },
});

/** The number of elements to add before and after each axis. Negative numbers remove elements. */
export type Pads = readonly (readonly [before: number, after: number])[];

function padded(x: Value, pads: Pads, to: Shape, ...value: Value[]): Value {
  const [before, after] = [pads.map(([low]) => low), pads.map(([, high]) => high)];
  return padOp(x, int64s([...before, ...after]), ...value, { to, before, after });
}

/** The source of added elements: a constant, x reflected at its border, the border repeated, or x repeated. */
export type PadMode = "constant" | "reflect" | "edge" | "wrap";

/**
 * Add elements around x, or remove them where pads are negative. https://onnx.ai/onnx/operators/onnx__Pad.html
 *
 * @param value the number to add, or a scalar with the dtype of x; for mode `constant`.
 * @throws {@link GanOnnxError} when an axis with padding is symbolic, or too short for the padding.
 */
export function pad(x: Value, pads: Pads, mode: PadMode = "constant", value: Operand = 0): Value {
  const kept = slice(
    x,
    pads.map(([before, after], axis) => ({
      axis,
      start: Math.max(0, -before),
      end: after < 0 ? after : FAR,
    })),
  );
  const more = pads.map(([before, after]) => [Math.max(before, 0), Math.max(after, 0)] as const);
  const to = kept.shape.map((extent, axis) => {
    const added = more[axis][0] + more[axis][1];
    if (added === 0) return extent;
    if (typeof extent === "number") return extent + added;
    throw shapeError("Pad", `axis ${axis} is symbolic and cannot grow by ${added}`, [x.shape]);
  });
  if (sameShape(to, kept.shape)) return kept;
  if (mode === "constant") {
    const values = value === 0 ? [] : [typeof value === "number" ? scalar(value, x.dtype) : value];
    return padded(kept, more, to, ...values);
  }
  return more.reduce((y, [before, after], axis) => withBorder(y, axis, before, after, mode), kept);
}

function withBorder(
  x: Value,
  axis: number,
  before: number,
  after: number,
  mode: Exclude<PadMode, "constant">,
): Value {
  if (before + after === 0) return x;
  const n = x.shape[axis] as number;
  const least = { reflect: Math.max(before, after) + 1, edge: 1, wrap: Math.max(before, after) }[mode];
  if (n < least)
    throw shapeError("Pad", `axis ${axis} is too short for mode ${mode}, ${before} and ${after}`, [x.shape]);
  const part = (start: number, end: number, step = 1) =>
    slice(x, [{ axis, start, end: end < 0 ? -FAR : end, step }]);
  const edge = (at: number, count: number) => expand(part(at, at + 1), x.shape.with(axis, count));
  const [first, last] = {
    // The border itself is not repeated.
    reflect: () => [part(before, 0, -1), part(n - 2, n - 2 - after, -1)],
    edge: () => [edge(0, before), edge(n - 1, after)],
    wrap: () => [part(n - before, n), part(0, after)],
  }[mode]();
  return concat([...(before > 0 ? [first] : []), x, ...(after > 0 ? [last] : [])], axis);
}
