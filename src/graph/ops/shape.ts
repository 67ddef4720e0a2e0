import { elementsOf } from "../../tensors/tensor.js";
import {
  addDims,
  broadcastShapes,
  type Dim,
  divideDim,
  isStatic,
  type Shape,
  sameShape,
  shapeError,
  symbolOf,
} from "../dims.js";
import { apply, defineOp, dependencies } from "../operator.js";
import type { Operator } from "../value.js";
import { constant, int64s, scalar, type Value } from "../value.js";
import { div, mul } from "./elementwise.js";
import { normalizeAxis, sameDType } from "./infer.js";

export const expandOp = defineOp<[x: Value, target: Value], { to: "dims" }>({
  type: "Expand",
  attributes: { to: "dims" },
  infer: ([x], { to }) => ({ dtype: x.dtype, shape: to }),
  vjp: (_, __, g) => [g, null],
});

/**
 * x repeated along its dimensions of extent 1 until it has the shape of `like`.
 * https://onnx.ai/onnx/operators/onnx__Expand.html
 */
export function expandLike(x: Value, like: Value): Value {
  if (!sameShape(broadcastShapes("Expand", [x.shape, like.shape]), like.shape)) {
    throw shapeError("Expand", "the first does not broadcast to the second", [x.shape, like.shape]);
  }
  return sameShape(x.shape, like.shape) ? x : expandOp(x, shapeOf(like), { to: like.shape });
}

export const shapeOp = defineOp<[x: Value], { start: "int"; end: "int" }>({
  type: "Shape",
  attributes: { start: "int", end: "int" },
  infer: (_, { start, end }) => ({ dtype: "int64", shape: [end - start] }),
  vjp: null,
});

/** The extent of one axis at run time, as int64 [1]. https://onnx.ai/onnx/operators/onnx__Shape.html */
export function extentOf(x: Value, axis: number): Value {
  const dim = x.shape[axis];
  if (typeof dim === "number") return int64s([dim]);
  const { symbol, coefficient } = symbolOf(dim);
  const carrier = carrierOf(x, symbol);
  const [source, at] = carrier ?? [x, axis];
  const extent = shapeOp(source, { start: at, end: at + 1 });
  return carrier && coefficient !== 1 ? mul(extent, coefficient) : extent;
}

/** The shape of x at run time, as int64 [rank]. */
export function shapeOf(x: Value): Value {
  if (isStatic(x.shape)) return int64s(x.shape);
  return concat(
    x.shape.map((_, axis) => extentOf(x, axis)),
    0,
  );
}

/**
 * A graph input that has the dimension `symbol`. Asking it, and not the value at hand, makes the shape independent
 * of what a loop computes, so that it is found once and not in every step.
 */
function carrierOf(x: Value, symbol: string): [Value, number] | undefined {
  const seen = new Set<Value>();
  const pending = [x];
  for (let value = pending.pop(); value; value = pending.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    if (value.origin.kind === "input") {
      const axis = value.shape.indexOf(symbol);
      if (axis >= 0) return [value, axis];
    }
    if (value.origin.kind === "node") pending.push(...dependencies(value.origin.node));
  }
  return undefined;
}

export const concatOp = defineOp<[...parts: Value[]], { axis: "int" }>({
  type: "Concat",
  attributes: { axis: "int" },
  infer: (inputs, { axis }) => {
    const dtype = sameDType("Concat", inputs);
    const shapes = inputs.map((value) => value.shape);
    const total = totalOf(shapes.map((shape) => shape[axis]));
    const others = (shape: Shape) => shape.toSpliced(axis, 1);
    if (total === undefined || !shapes.every((shape) => sameShape(others(shape), others(shapes[0])))) {
      throw shapeError("Concat", `shapes do not join along axis ${axis}`, shapes);
    }
    return { dtype, shape: shapes[0].with(axis, total) };
  },
  vjp: (inputs, _, g, { axis }) =>
    split(
      g,
      axis,
      inputs.map((value) => value.shape[axis]),
    ),
});

/** All extents together, or undefined where that is no multiple of one symbol. */
function totalOf(extents: Shape): Dim | undefined {
  return extents.reduce<Dim | undefined>((sum, dim) => (sum === undefined ? sum : addDims(sum, dim)), 0);
}

/** WebGPU guarantees a node eight buffers: the whole, and so many parts. */
const MOST_PARTS = 7;

/**
 * Which parts are to be one part first, where there are too many: of all neighbours that would do, those that hold the
 * least.
 */
function together(extents: Shape): { readonly start: number; readonly end: number } {
  const count = Math.min(MOST_PARTS, extents.length - MOST_PARTS + 1);
  const sizes = extents.map((dim) => symbolOf(dim).coefficient);
  const total = (start: number) => sizes.slice(start, start + count).reduce((sum, size) => sum + size, 0);
  const starts = Array.from({ length: extents.length - count + 1 }, (_, start) => start);
  const start = starts.reduce((best, other) => (total(other) < total(best) ? other : best));
  return { start, end: start + count };
}

/** The parts one after another along an axis; many in several nodes. https://onnx.ai/onnx/operators/onnx__Concat.html */
export function concat(parts: readonly Value[], axis: number): Value {
  const at = normalizeAxis("Concat", axis, parts[0].shape.length);
  if (parts.length === 1) return parts[0];
  if (parts.length <= MOST_PARTS) return concatOp(...parts, { axis: at });
  const { start, end } = together(parts.map(({ shape }) => shape[at]));
  return concat(parts.toSpliced(start, end - start, concat(parts.slice(start, end), at)), at);
}

/** Split has several outputs, so it is written out where `defineOp` serves the operators with one. */
export const splitOp: { readonly operator: Operator } = {
  operator: {
    type: "Split",
    attributes: { axis: "int", parts: "dims" },
    infer: ([x], attributes) => {
      const { axis, parts } = attributes as { axis: number; parts: Shape };
      return parts.map((part) => ({ dtype: x.dtype, shape: x.shape.with(axis, part) }));
    },
    vjp: ([, ...sizes], outputs, gradients, { axis }) => [
      concat(
        gradients.map((g, i) => g ?? zerosLike(outputs[i])),
        axis as number,
      ),
      ...sizes.map(() => null),
    ],
  },
};

/**
 * x cut into parts along an axis: a number of equal parts, or their extents; many in several nodes.
 * https://onnx.ai/onnx/operators/onnx__Split.html
 */
export function split(x: Value, axis: number, parts: number | readonly Dim[]): readonly Value[] {
  const at = normalizeAxis("Split", axis, x.shape.length);
  const extents = typeof parts === "number" ? equalParts(x.shape[at], parts) : parts;
  if (!extents || totalOf(extents) !== x.shape[at]) {
    throw shapeError("Split", `axis ${at} does not part into ${JSON.stringify(parts)}`, [x.shape]);
  }
  if (extents.length === 1) return [x];
  if (extents.length > MOST_PARTS) {
    const { start, end } = together(extents);
    const inner = extents.slice(start, end);
    const outer = split(x, at, extents.toSpliced(start, end - start, totalOf(inner) as Dim));
    return outer.toSpliced(start, 1, ...split(outer[start], at, inner));
  }
  // Without sizes Split makes equal parts, of a symbolic dimension too.
  const inputs = extents.every((dim) => dim === extents[0]) ? [x] : [x, sizesOf(x, extents, at)];
  return apply(splitOp.operator, inputs, { axis: at, parts: extents });
}

function equalParts(dim: Dim, parts: number): readonly Dim[] | undefined {
  const each = divideDim(dim, parts);
  return each === undefined ? undefined : Array<Dim>(parts).fill(each);
}

/** The extents of parts at run time; symbolic ones are all multiples of the axis's symbol. */
function sizesOf(x: Value, extents: Shape, axis: number): Value {
  if (isStatic(extents)) return int64s(extents);
  const coefficients = extents.map((dim) => symbolOf(dim).coefficient);
  const all = coefficients.reduce((sum, coefficient) => sum + coefficient, 0);
  return div(mul(extentOf(x, axis), int64s(coefficients)), scalar(all, "int64"));
}

/** Zeros of the type and shape of x. */
export function zerosLike(x: Value): Value {
  return expandLike(
    constant(
      x.dtype,
      x.shape.map(() => 1),
      elementsOf(x.dtype, [0]),
    ),
    x,
  );
}

/** Ones of the type and shape of x. */
export function onesLike(x: Value): Value {
  return expandLike(scalar(1, x.dtype), x);
}
