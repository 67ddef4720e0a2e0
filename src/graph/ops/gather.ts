import { GanOnnxError } from "../../error.js";
import { productOf, type Shape, sameShape, shapeError } from "../dims.js";
import { defineOp, type Op } from "../operator.js";
import type { Value } from "../value.js";
import { normalizeAxis, sameDType } from "./infer.js";
import { reshape } from "./reshape.js";
import { expandLike, zerosLike } from "./shape.js";

// Indices are int64 or int32. Negative indices count from the end.

function requireIndex(operator: string, { dtype }: Value): void {
  if (dtype === "int64" || dtype === "int32") return;
  throw new GanOnnxError({
    what: `an index of dtype ${dtype}`,
    where: operator,
    fix: "pass int64 or int32; cast() it",
  });
}

export const gatherOp: Op<[x: Value, index: Value], { axis: "int" }> = defineOp({
  type: "Gather",
  attributes: { axis: "int" },
  infer: ([x, index], { axis }) => {
    requireIndex("Gather", index);
    return { dtype: x.dtype, shape: x.shape.toSpliced(axis, 1, ...index.shape) };
  },
  // Gradients of an element that was taken several times add up. Flatten the axes of the index into one.
  vjp: ([x, index], _, g, { axis }) => [
    () => {
      const one: Shape = [productOf(index.shape)];
      const updates = reshape(g, x.shape.toSpliced(axis, 1, ...one));
      const column = x.shape.map((_, i) => (i === axis ? one[0] : 1));
      return scatterElements(zerosLike(x), expandLike(reshape(index, column), updates), updates, axis, "add");
    },
    null,
  ],
});

/**
 * Take slices of x along an axis. The axis is replaced by the axes of the index.
 * https://onnx.ai/onnx/operators/onnx__Gather.html
 *
 * @param index int64 or int32 of any shape, from -extent to extent - 1. ONNX Runtime refuses other values.
 */
export function gather(x: Value, index: Value, axis: number): Value {
  return gatherOp(x, index, { axis: normalizeAxis("Gather", axis, x.shape.length) });
}

/** Row `index` (an int64 scalar) of x: x[index]. https://onnx.ai/onnx/operators/onnx__Gather.html */
export function row(x: Value, index: Value): Value {
  if (x.shape.length === 0 || index.shape.length > 0) {
    throw shapeError("Gather", "a value with rows and a scalar index are needed", [x.shape, index.shape]);
  }
  return gather(x, index, 0);
}

/**
 * Require an index with the rank of x that fits inside x on all other axes. Symbolic extents must be equal or unknown.
 */
function requireInside(operator: string, x: Value, index: Value, axis: number): void {
  requireIndex(operator, index);
  const fits = index.shape.every((dim, i) => {
    const own = x.shape[i];
    return i === axis || (typeof dim === "number" && typeof own === "number" ? dim <= own : dim === own);
  });
  if (index.shape.length === x.shape.length && fits) return;
  throw shapeError(operator, `the index does not fit into the value, but for axis ${axis}`, [
    x.shape,
    index.shape,
  ]);
}

export const gatherElementsOp: Op<[x: Value, index: Value], { axis: "int" }> = defineOp({
  type: "GatherElements",
  attributes: { axis: "int" },
  infer: ([x, index], { axis }) => {
    requireInside("GatherElements", x, index, axis);
    return { dtype: x.dtype, shape: index.shape };
  },
  vjp: ([x, index], _, g, { axis }) => [() => scatterElements(zerosLike(x), index, g, axis, "add"), null],
});

/**
 * y[i, j, …] = x[i, …, index[i, j, …], …]: take one element of x for each element of the index, which gives the
 * position along the axis. https://onnx.ai/onnx/operators/onnx__GatherElements.html
 */
export function gatherElements(x: Value, index: Value, axis: number): Value {
  return gatherElementsOp(x, index, { axis: normalizeAxis("GatherElements", axis, x.shape.length) });
}

const scatterSchema = { axis: "int", reduction: "string" } as const;

export const scatterElementsOp: Op<[x: Value, index: Value, updates: Value], typeof scatterSchema> = defineOp(
  {
    type: "ScatterElements",
    attributes: scatterSchema,
    infer: ([x, index, updates], { axis }) => {
      requireInside("ScatterElements", x, index, axis);
      if (!sameShape(index.shape, updates.shape)) {
        throw shapeError("ScatterElements", "index and updates differ", [index.shape, updates.shape]);
      }
      return { dtype: sameDType("ScatterElements", [x, updates]), shape: x.shape };
    },
    // Replaced elements get no gradient. Elements with an added update do.
    vjp: ([, index, updates], _, g, { axis, reduction }) => [
      () => (reduction === "add" ? g : scatterElements(g, index, zerosLike(updates), axis)),
      null,
      () => gatherElements(g, index, axis),
    ],
  },
);

/**
 * Replace the elements of x at [i, …, index[i, j, …], …] by the updates, or add the updates to them. When replacing,
 * positions must be unique. https://onnx.ai/onnx/operators/onnx__ScatterElements.html
 *
 * @throws {@link GanOnnxError} when index and updates differ in shape, or do not fit inside x.
 */
export function scatterElements(
  x: Value,
  index: Value,
  updates: Value,
  axis: number,
  reduction: "none" | "add" = "none",
): Value {
  const at = normalizeAxis("ScatterElements", axis, x.shape.length);
  return scatterElementsOp(x, index, updates, { axis: at, reduction });
}
