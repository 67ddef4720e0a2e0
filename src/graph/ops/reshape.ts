import { GanOnnxError } from "../../error.js";
import { formatShape, productOf, type Shape, sameShape, shapeError } from "../dims.js";
import { defineOp } from "../operator.js";
import { int64s, type Value } from "../value.js";
import { normalizeAxes, normalizeAxis } from "./infer.js";
import { shapeOf } from "./shape.js";

export const reshapeOp = defineOp<[x: Value, target: Value], { to: "dims" }>({
  type: "Reshape",
  attributes: { to: "dims" },
  infer: ([x], { to }) => ({ dtype: x.dtype, shape: to }),
  vjp: ([x], _, g) => [reshapeLike(g, x), null],
});

/**
 * The same elements with another shape. At most one symbolic dimension may move.
 * https://onnx.ai/onnx/operators/onnx__Reshape.html
 */
export function reshape(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  if (productOf(x.shape) !== productOf(shape)) throw shapeError("Reshape", "sizes differ", [x.shape, shape]);
  if (movedSymbols(x.shape, shape) > 1) {
    // If only extents of 1 are added or removed, no other extent needs to be named.
    const ones = (of: Shape) => of.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
    const others = (of: Shape) => of.filter((dim) => dim !== 1);
    if (sameShape(others(x.shape), others(shape))) return unsqueeze(squeeze(x), ones(shape));
    throw shapeError("Reshape", "two symbolic dimensions move", [x.shape, shape]);
  }
  // 0 keeps the dimension at this position; -1 is the remaining size.
  const target = shape.map((dim, i) => (typeof dim === "number" ? dim : dim === x.shape[i] ? 0 : -1));
  return reshapeOp(x, int64s(target), { to: shape });
}

/** Reshape x to the shape of `like`. Any number of symbolic dimensions may move. */
function reshapeLike(x: Value, like: Value): Value {
  return movedSymbols(x.shape, like.shape) > 1
    ? reshapeOp(x, shapeOf(like), { to: like.shape })
    : reshape(x, like.shape);
}

function movedSymbols(from: Shape, to: Shape): number {
  return to.filter((dim, i) => typeof dim === "string" && dim !== from[i]).length;
}

export const transposeOp = defineOp<[x: Value], { perm: "ints" }>({
  type: "Transpose",
  attributes: { perm: "ints" },
  infer: ([x], { perm }) => ({ dtype: x.dtype, shape: perm.map((axis) => x.shape[axis]) }),
  vjp: (_, __, g, { perm }) => [
    transpose(
      g,
      Array.from(perm.keys(), (axis) => perm.indexOf(axis)),
    ),
  ],
});

/** Axis i of the result is axis perm[i] of x. https://onnx.ai/onnx/operators/onnx__Transpose.html */
export function transpose(x: Value, perm: readonly number[]): Value {
  const axes = perm.map((axis) => normalizeAxis("Transpose", axis, x.shape.length));
  if (axes.length !== x.shape.length || new Set(axes).size !== axes.length) {
    throw new GanOnnxError({
      what: `[${perm.join(", ")}] is not a permutation of the axes of ${formatShape(x.shape)}`,
      where: "Transpose",
      fix: "name every axis once",
    });
  }
  return transposeOp(x, { perm: axes });
}

export const unsqueezeOp = defineOp<[x: Value, axes: Value], { at: "dims" }>({
  type: "Unsqueeze",
  attributes: { at: "dims" },
  infer: ([x], { at }) => ({
    dtype: x.dtype,
    shape: (at as readonly number[]).reduce<Shape>((shape, axis) => shape.toSpliced(axis, 0, 1), x.shape),
  }),
  vjp: (_, __, g, { at }) => [squeeze(g, at as readonly number[]), null],
});

/** Insert axes of extent 1, numbered as in the result. https://onnx.ai/onnx/operators/onnx__Unsqueeze.html */
export function unsqueeze(x: Value, axes: readonly number[]): Value {
  const at = normalizeAxes("Unsqueeze", axes, x.shape.length + axes.length);
  return at.length === 0 ? x : unsqueezeOp(x, int64s(at), { at });
}

export const squeezeOp = defineOp<[x: Value, axes: Value], { at: "dims" }>({
  type: "Squeeze",
  attributes: { at: "dims" },
  infer: ([x], { at }) => ({ dtype: x.dtype, shape: x.shape.filter((_, axis) => !at.includes(axis)) }),
  vjp: (_, __, g, { at }) => [unsqueeze(g, at as readonly number[]), null],
});

/**
 * Remove some axes of extent 1, or all of them. https://onnx.ai/onnx/operators/onnx__Squeeze.html
 *
 * @throws {@link GanOnnxError} when an axis has another extent.
 */
export function squeeze(x: Value, axes?: readonly number[]): Value {
  const ones = x.shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
  const at = normalizeAxes("Squeeze", axes ?? ones, x.shape.length);
  if (!at.every((axis) => x.shape[axis] === 1)) {
    throw shapeError("Squeeze", `axes ${at.join(", ")} are not all of extent 1`, [x.shape]);
  }
  return at.length === 0 ? x : squeezeOp(x, int64s(at), { at });
}

/** Reshape x to a matrix: the axes before `axis` become its rows. https://onnx.ai/onnx/operators/onnx__Flatten.html */
export function flatten(x: Value, axis = 1): Value {
  const at = axis < 0 ? axis + x.shape.length : axis;
  return reshape(x, [productOf(x.shape.slice(0, at)), productOf(x.shape.slice(at))]);
}
