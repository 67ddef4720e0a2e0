import {
  broadcastShapes,
  type Dim,
  divideExactly,
  productOf,
  type Shape,
  symbolOf,
} from "../../graph/dims.js";
import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import { normalizeAxis } from "../../graph/ops/infer.js";
import type { Call, Rules } from "../call.js";
import { contentOf } from "../content.js";

/** Operators that change or return the shape of a value. */
export const shapes: Rules = {
  Reshape: (call) => (call.opset < 5 ? byAttribute(call) : reshape(call)),
  Flatten: (call) => graph.flatten(call.input(0), call.int("axis", 1)),
  Squeeze: (call) => graph.squeeze(call.input(0), call.numbersOf("axes", 1, 13)),
  Unsqueeze: (call) => {
    const axes = call.numbersOf("axes", 1, 13) ?? call.fail("the axes are missing");
    if (axes.length > 64) call.fail(`there are ${axes.length} new axes`);
    return graph.unsqueeze(call.input(0), axes);
  },
  Transpose: (call) => {
    const x = call.input(0);
    return graph.transpose(x, call.ints("perm") ?? x.shape.map((_, i) => x.shape.length - 1 - i));
  },
  Concat: (call) => {
    const parts = call.values.map((_, i) => call.input(i));
    return graph.concat(parts, call.axis(parts[0], call.opset < 4 ? 1 : undefined));
  },
  Split: split,
  Expand: (call) => {
    const [x, target] = [call.input(0), call.input(1)];
    const to = broadcastShapes("Expand", [x.shape, dimsIn(call, target)]);
    return sameAs(x, to) ? x : graph.expandOp(x, target, { to });
  },
  Tile: (call) => {
    const x = call.input(0);
    const repeats = dimsIn(call, call.input(1));
    if (repeats.every((each) => typeof each === "number")) return graph.tile(x, repeats);
    return tileBy(call, x, repeats);
  },
  Shape: (call) => {
    const x = call.input(0);
    const rank = x.shape.length;
    const bound = (given: number) => Math.min(Math.max(given < 0 ? given + rank : given, 0), rank);
    const [start, end] = [bound(call.int("start", 0)), bound(call.int("end", rank))];
    return graph.shapeOp(x, { start, end: Math.max(start, end) });
  },
  Size: (call) => graph.prod(graph.shapeOf(call.input(0)), [0]),
  Identity: (call) => call.input(0),
};

function sameAs(x: Value, shape: Shape): boolean {
  return x.shape.length === shape.length && x.shape.every((dim, i) => dim === shape[i]);
}

/** The sizes in a value. Sizes that are not tracked become new symbols. */
export function dimsIn(call: Call, value: Value): Shape {
  const elements = contentOf(value)?.elements;
  if (elements) return elements;
  const [rank] = value.shape;
  if (value.shape.length === 1 && typeof rank === "number")
    return Array.from({ length: rank }, (_, i) => `${call.node.name || call.node.outputs[0]}_dim_${i}`);
  return call.fail("the shape is computed, and its rank is not known", "make the shape a constant");
}

function byAttribute(call: Call): Value {
  return graph.reshape(call.input(0), resolved(call, call.input(0), call.required("shape", "ints")));
}

function reshape(call: Call): Value {
  const [x, target] = [call.input(0), call.input(1)];
  const shape = resolved(call, x, dimsIn(call, target));
  if (sameAs(x, shape)) return x;
  if (call.int("allowzero", 0) === 1 && [...shape, ...x.shape].includes(0))
    return call.fail("an extent of 0 (allowzero) is not supported");
  const moved = shape.filter((dim, i) => typeof dim === "string" && dim !== x.shape[i]);
  const simple = moved.length < 2 && productOf(x.shape) === productOf(shape);
  return simple ? graph.reshape(x, shape) : graph.reshapeOp(x, target, { to: shape });
}

/** Resolve the zeros and the -1 in a target of Reshape. */
function resolved(call: Call, x: Value, target: Shape): Shape {
  const kept = target.map((dim, i) =>
    dim === 0 && call.int("allowzero", 0) === 0 ? (x.shape[i] ?? 0) : dim,
  );
  const open = kept.indexOf(-1);
  const others = open < 0 ? kept : kept.toSpliced(open, 1);
  const shape = open < 0 ? kept : kept.with(open, restOf(x.shape, others));
  const sizes = [productOf(x.shape), productOf(shape)];
  if (sizes.every((size) => typeof size === "number") && sizes[0] !== sizes[1])
    call.fail(`[${x.shape.join(", ")}] does not fit into [${target.join(", ")}]`);
  return shape;
}

/** The quotient of two numbers of elements. Equal symbols cancel out. */
function restOf(whole: Shape, part: Shape): Dim {
  const [a, b] = [productOf(whole), productOf(part)].map(symbolOf);
  const left = a.symbol === "" ? [] : a.symbol.split("*");
  const right = b.symbol === "" ? [] : b.symbol.split("*");
  const over = right.filter((symbol) => {
    const at = left.indexOf(symbol);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const ratio = a.coefficient / b.coefficient;
  if (over.length === 0 && left.length > 0)
    return divideExactly(productOf([a.coefficient, ...left]), b.coefficient);
  if (over.length === 0 && Number.isInteger(ratio)) return ratio;
  return `(${productOf(whole)}/${productOf(part)})`.replaceAll("*", "·");
}

/** The sizes are an attribute before opset 13 and an input from then on. Without sizes the parts are equal. */
function split(call: Call): readonly Value[] {
  const x = call.input(0);
  const axis = call.axis(x, 0);
  const sizes = call.numbersOf("split", 1, 13);
  const count = call.int("num_outputs", call.node.outputs.length);
  if (sizes) return graph.split(x, axis, sizes);
  const extent = x.shape[axis];
  if (typeof extent === "number" && count > extent) call.fail(`${extent} are split into ${count} parts`);
  if (typeof extent !== "number" || extent % count === 0) return graph.split(x, axis, count);
  // Since opset 18, the last part may be smaller.
  const each = Math.ceil(extent / count);
  const parts = Array.from({ length: count }, (_, i) => Math.max(0, Math.min(each, extent - i * each)));
  return graph.split(x, axis, parts);
}

/** Tile with counts that depend on sizes: expand each axis, then merge. */
function tileBy(call: Call, x: Value, repeats: Shape): Value {
  if (x.shape.some((dim, axis) => dim !== 1 && typeof repeats[axis] === "string"))
    return call.fail("an axis is repeated as often as a size says", "repeat it by a number");
  const to = x.shape.map((dim, axis) => (dim === 1 ? repeats[axis] : dim));
  const counts = repeats.map((each, axis) => (x.shape[axis] === 1 ? 1 : Number(each)));
  return graph.tile(graph.expandOp(x, targetOf(call, x), { to }), counts);
}

/** Convert the repeats of Tile to a target of Expand: 1 where the extent of the axis is not 1. */
function targetOf(call: Call, x: Value): Value {
  const single = x.shape.map((dim) => Number(dim === 1));
  const mask = graph.constant("bool", [single.length], Uint8Array.from(single));
  return graph.where(mask, call.input(1), 1);
}

/** An axis of a value, counted from the front. */
export function axisOf(call: Call, axis: number, x: Value): number {
  return normalizeAxis(call.node.type, axis, x.shape.length);
}
