import { sizeOf } from "../../tensors/tensor.js";
import { defineOp } from "../operator.js";
import { int64s, isFloat, scalar, type Value } from "../value.js";
import { cast, div, scale } from "./elementwise.js";
import { lowerReduction } from "./layout.js";
import { gemm } from "./matrix.js";
import { reducedShape, reduction } from "./reduction.js";
import { reshape } from "./reshape.js";
import { concat, expandLike, expandOp, extentOf } from "./shape.js";

/** Repeat a gradient of the reduced shape along the reduced axes. */
function spread(g: Value, x: Value, axes: readonly number[]): Value {
  return expandLike(reshape(g, reducedShape(x, axes, 1)), x);
}

// Before opset 18, ReduceSum has its axes as an input and ReduceMean as an attribute.

export const sumOp = defineOp<[x: Value, axes: Value], { keepdims: "int"; over: "dims" }>({
  type: "ReduceSum",
  attributes: { keepdims: "int", over: "dims" },
  infer: ([x], { keepdims, over }) => ({
    dtype: x.dtype,
    shape: reducedShape(x, over as number[], keepdims),
  }),
  vjp: ([x], _, g, { over }) => [spread(g, x, over as number[]), null],
  lower: ([x], y, { over }) => lowerReduction(x, y, over as number[], sum),
});

export const meanOp = defineOp<[x: Value], { axes: "ints"; keepdims: "int" }>({
  type: "ReduceMean",
  attributes: { axes: "ints", keepdims: "int" },
  infer: ([x], { axes, keepdims }) => ({ dtype: x.dtype, shape: reducedShape(x, axes, keepdims) }),
  vjp: ([x], _, g, { axes }) => [spread(div(g, elementCount(x, axes)), x, axes)],
  lower: ([x], y, { axes }) => lowerReduction(x, y, axes, mean),
});

/** The product of the extents of some axes, as a scalar with the dtype of x. */
export function elementCount(x: Value, axes: readonly number[]): Value {
  const size = sizeOf(axes.map((axis) => x.shape[axis]).filter((dim) => typeof dim === "number"));
  return axes
    .filter((axis) => typeof x.shape[axis] === "string")
    .map((axis) => reshape(cast(extentOf(x, axis), { to: x.dtype }), []))
    .reduce<Value>((product, extent) => scale(extent, product), scalar(size, x.dtype));
}

/** Ones [1, rows] for a matrix x. They depend only on its number of rows. */
function onesFor(x: Value): Value {
  const rows = x.shape[0];
  return expandOp(scalar(1, x.dtype), concat([int64s([1]), extentOf(x, 0)], 0), { to: [1, rows] });
}

/**
 * The sum over some axes, or over all. https://onnx.ai/onnx/operators/onnx__ReduceSum.html
 *
 * The sum of a matrix's rows (the gradient of every bias) is written as a product with a row of ones: ONNX Runtime's
 * product is three times as fast as its ReduceSum.
 */
export const sum = reduction((x, axes, keepdims) => {
  const ofRows = x.shape.length === 2 && axes.length === 1 && axes[0] === 0 && isFloat(x.dtype);
  if (!ofRows) return sumOp(x, int64s(axes), { keepdims, over: axes });
  const total = gemm(onesFor(x), x);
  return keepdims ? total : reshape(total, [x.shape[1]]);
});

/** The mean over some axes, or over all. https://onnx.ai/onnx/operators/onnx__ReduceMean.html */
export const mean = reduction((x, axes, keepdims) => meanOp(x, { axes, keepdims }));
