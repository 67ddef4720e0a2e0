import { GanOnnxError } from "../../error.js";
import { productOf, type Shape, sameShape, shapeError } from "../dims.js";
import { defineOp, type Op } from "../operator.js";
import type { Value } from "../value.js";
import { normalizeAxis, sameDType } from "./infer.js";
import { reshape } from "./reshape.js";
import { expandLike, zerosLike } from "./shape.js";

// Indices are int64 or int32; negative ones count from the end.

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
  // What was taken several times adds up. The axes of the index become one, as those of x are.
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
 * Slices of x along an axis, by their numbers: the axis gives way to those of the index.
 * https://onnx.ai/onnx/operators/onnx__Gather.html
 *
 * @param index int64 or int32 of any shape, from -extent to extent - 1; ONNX Runtime refuses others.
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

/** Whether the index has the rank of x and fits into it, but along the axis. Symbolic extents are equal or unknown. */
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
 * y[i, j, …] = x[i, …, index[i, j, …], …]: an element of x for each element of the index, whose number along the axis it
 * is. https://onnx.ai/onnx/operators/onnx__GatherElements.html
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
    // What is written over passes no gradient on; what is added to does.
    vjp: ([, index, updates], _, g, { axis, reduction }) => [
      () => (reduction === "add" ? g : scatterElements(g, index, zerosLike(updates), axis)),
      null,
      () => gatherElements(g, index, axis),
    ],
  },
);

/**
 * x with the updates at y[i, …, index[i, j, …], …] in place of what is there, or added to it. Without adding, no element
 * may be named twice. https://onnx.ai/onnx/operators/onnx__ScatterElements.html
 *
 * @throws GanOnnxError when index and updates differ in shape, or do not fit into x.
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
