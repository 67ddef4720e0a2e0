import { type Shape, sameShape, shapeError } from "../dims.js";
import { defineOp, type Op } from "../operator.js";
import type { Value } from "../value.js";
import { cast } from "./elementwise.js";
import { positions } from "./generate.js";
import { sameDType } from "./infer.js";
import { reshape } from "./reshape.js";
import { concat, expandLike, zerosLike } from "./shape.js";
import { slice } from "./slice.js";

/** The shape that an index [..., k] takes from x: one slice for each row of k numbers. */
function takenShape(operator: string, x: Value, index: Value): Shape {
  const depth = index.shape[index.shape.length - 1];
  if (typeof depth !== "number" || depth < 1 || depth > x.shape.length || index.dtype !== "int64") {
    throw shapeError(operator, "an int64 index whose rows name places in the value is needed", [
      x.shape,
      index.shape,
    ]);
  }
  return [...index.shape.slice(0, -1), ...x.shape.slice(depth)];
}

export const gatherNDOp: Op<[x: Value, index: Value]> = defineOp<[x: Value, index: Value]>({
  type: "GatherND",
  infer: ([x, index]) => ({ dtype: x.dtype, shape: takenShape("GatherND", x, index) }),
  vjp: ([x, index], _, g) => [() => scatterND(zerosLike(x), index, g, "add"), null],
});

/**
 * y[i, …] = x[index[i, …], …]: one element or slice of x for each row in the last axis of the index. With `batchDims`,
 * x and the index share their first axes, and the rows index the remaining axes of x.
 * https://onnx.ai/onnx/operators/onnx__GatherND.html
 */
export function gatherND(x: Value, index: Value, batchDims = 0): Value {
  const whole = index.dtype === "int64" ? index : cast(index, { to: "int64" });
  if (batchDims === 0) return gatherNDOp(x, whole);
  // The index into the shared axes is the position in the index itself.
  const one = slice(whole, [{ axis: -1, start: 0, end: 1 }]);
  const own = Array.from({ length: batchDims }, (_, axis) => expandLike(positions(one, axis), one));
  return gatherNDOp(x, concat([...own, whole], -1));
}

export const scatterNDOp: Op<[x: Value, index: Value, updates: Value], { reduction: "string" }> = defineOp({
  type: "ScatterND",
  attributes: { reduction: "string" },
  infer: ([x, index, updates]) => {
    const taken = takenShape("ScatterND", x, index);
    if (!sameShape(taken, updates.shape)) {
      throw shapeError("ScatterND", "the updates have not the shape of what they replace", [
        taken,
        updates.shape,
      ]);
    }
    return { dtype: sameDType("ScatterND", [x, updates]), shape: x.shape };
  },
  vjp: ([, index, updates], _, g, { reduction }) => [
    () => (reduction === "add" ? g : scatterND(g, index, zerosLike(updates))),
    null,
    () => gatherND(g, index),
  ],
});

/**
 * Replace the elements of x at the positions in the index by the updates, or add the updates to them. When replacing,
 * positions must be unique. https://onnx.ai/onnx/operators/onnx__ScatterND.html
 */
export function scatterND(x: Value, index: Value, updates: Value, reduction: "none" | "add" = "none"): Value {
  const whole = index.dtype === "int64" ? index : cast(index, { to: "int64" });
  const taken = takenShape("ScatterND", x, whole);
  return scatterNDOp(x, whole, reshape(updates, taken), { reduction });
}
