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
 * Repeat x along its dimensions of extent 1 to the shape of `like`. https://onnx.ai/onnx/operators/onnx__Expand.html
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
 * A graph input with the dimension `symbol`. Reading the extent from an input instead of the value itself makes the
 * shape independent of a loop's state, so it is computed once and not in every step.
 */
function carrierOf(x: Value, symbol: string): Carrier | undefined {
  const path = [{ value: x, left: behind(x) }];
  for (let at = path.at(-1); at; at = path.at(-1)) {
    const found = at.value.origin.kind === "input" ? axisOf(at.value, symbol) : undefined;
    const next = found ? undefined : at.left.pop();
    const known = found ?? (next && carriers.get(next)?.get(symbol));
    if (known) {
      for (const { value } of path) remember(value, symbol, known);
      return known;
    }
    if (next) {
      if (known !== null) path.push({ value: next, left: behind(next) });
    } else remember((path.pop() as typeof at).value, symbol, null);
  }
  return undefined;
}

type Carrier = readonly [input: Value, axis: number];

/** Cached results of carrierOf by value and symbol (null if none), so that a growing graph is not searched repeatedly. */
const carriers = new WeakMap<Value, Map<string, Carrier | null>>();

function remember(value: Value, symbol: string, carrier: Carrier | null): void {
  const known = carriers.get(value) ?? new Map<string, Carrier | null>();
  carriers.set(value, known.set(symbol, carrier));
}

function axisOf(value: Value, symbol: string): Carrier | undefined {
  const axis = value.shape.indexOf(symbol);
  return axis >= 0 ? [value, axis] : undefined;
}

/** The values that a value depends on directly. */
function behind({ origin }: Value): Value[] {
  return origin.kind === "node" ? [...dependencies(origin.node)] : [];
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

/** The sum of all extents, or undefined when it is not a multiple of one symbol. */
function totalOf(extents: Shape): Dim | undefined {
  return extents.reduce<Dim | undefined>((sum, dim) => (sum === undefined ? sum : addDims(sum, dim)), 0);
}

/** The maximum number of parts of a node: WebGPU guarantees eight buffers per node, one of which is the whole. */
const MOST_PARTS = 7;

/** More parts are first joined in groups of this length: finding the smallest group takes quadratic time. */
const RUN = 256;

function inRuns<T>(parts: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(parts.length / RUN) }, (_, i) => parts.slice(i * RUN, (i + 1) * RUN));
}

/**
 * Select the parts to join first when there are too many: of all adjacent groups of the right length, the one with the
 * fewest elements.
 */
function smallestGroup(extents: Shape): { readonly start: number; readonly end: number } {
  const count = Math.min(MOST_PARTS, extents.length - MOST_PARTS + 1);
  const sizes = extents.map((dim) => symbolOf(dim).coefficient);
  const total = (start: number) => sizes.slice(start, start + count).reduce((sum, size) => sum + size, 0);
  const starts = Array.from({ length: extents.length - count + 1 }, (_, start) => start);
  const start = starts.reduce((best, other) => (total(other) < total(best) ? other : best));
  return { start, end: start + count };
}

/** Join parts along an axis; several nodes if there are many. https://onnx.ai/onnx/operators/onnx__Concat.html */
export function concat(parts: readonly Value[], axis: number): Value {
  const at = normalizeAxis("Concat", axis, parts[0].shape.length);
  if (parts.length === 1) return parts[0];
  if (parts.length <= MOST_PARTS) return concatOp(...parts, { axis: at });
  if (parts.length > RUN)
    return concat(
      inRuns(parts).map((run) => concat(run, at)),
      at,
    );
  const { start, end } = smallestGroup(parts.map(({ shape }) => shape[at]));
  return concat(parts.toSpliced(start, end - start, concat(parts.slice(start, end), at)), at);
}

/** Split has several outputs, so it does not use `defineOp`. */
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
 * Cut x into parts along an axis: a number of equal parts, or a list of extents. Several nodes if there are many parts.
 * https://onnx.ai/onnx/operators/onnx__Split.html
 */
export function split(x: Value, axis: number, parts: number | readonly Dim[]): readonly Value[] {
  const at = normalizeAxis("Split", axis, x.shape.length);
  const extents = typeof parts === "number" ? equalParts(x.shape[at], parts) : parts;
  if (!extents || totalOf(extents) !== x.shape[at]) {
    throw shapeError("Split", `axis ${at} does not part into ${JSON.stringify(parts)}`, [x.shape]);
  }
  if (extents.length === 1) return [x];
  if (extents.length > RUN) {
    const runs = inRuns(extents);
    const outer = split(
      x,
      at,
      runs.map((run) => totalOf(run) as Dim),
    );
    return runs.flatMap((run, i) => split(outer[i], at, run));
  }
  if (extents.length > MOST_PARTS) {
    const { start, end } = smallestGroup(extents);
    const inner = extents.slice(start, end);
    const outer = split(x, at, extents.toSpliced(start, end - start, totalOf(inner) as Dim));
    return outer.toSpliced(start, 1, ...split(outer[start], at, inner));
  }
  // Without sizes, Split makes equal parts, also of a symbolic dimension.
  const inputs = extents.every((dim) => dim === extents[0]) ? [x] : [x, sizesOf(x, extents, at)];
  return apply(splitOp.operator, inputs, { axis: at, parts: extents });
}

function equalParts(dim: Dim, parts: number): readonly Dim[] | undefined {
  const each = divideDim(dim, parts);
  return each === undefined ? undefined : Array<Dim>(parts).fill(each);
}

/** The extents of the parts at run time. Symbolic extents are multiples of the axis's symbol. */
function sizesOf(x: Value, extents: Shape, axis: number): Value {
  if (isStatic(extents)) return int64s(extents);
  const coefficients = extents.map((dim) => symbolOf(dim).coefficient);
  const all = coefficients.reduce((sum, coefficient) => sum + coefficient, 0);
  return div(mul(extentOf(x, axis), int64s(coefficients)), scalar(all, "int64"));
}

/** Zeros with the type and shape of x. */
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

/** Ones with the type and shape of x. */
export function onesLike(x: Value): Value {
  return expandLike(scalar(1, x.dtype), x);
}
