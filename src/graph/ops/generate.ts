import { GanOnnxError } from "../../error.js";
import { type DType, elementsOf } from "../../tensors/tensor.js";
import { shapeError } from "../dims.js";
import { defineOp, type Op } from "../operator.js";
import { constant, type Operand, scalar, type Value } from "../value.js";
import { add, cast, equal, sub, where } from "./elementwise.js";
import { normalizeAxis } from "./infer.js";
import { greaterOrEqual, less, lessOrEqual } from "./logic.js";
import { reshape, unsqueeze } from "./reshape.js";
import { extentOf } from "./shape.js";

export const rangeOp: Op<[start: Value, limit: Value, delta: Value], { to: "dims" }> = defineOp({
  type: "Range",
  attributes: { to: "dims" },
  infer: ([start], { to }) => ({ dtype: start.dtype, shape: to }),
  vjp: null,
});

/** start, start + delta, … below limit, or above it if delta < 0. https://onnx.ai/onnx/operators/onnx__Range.html */
export function range(start: number, limit: number, delta = 1, dtype: DType = "int64"): Value {
  if (delta === 0) throw new GanOnnxError({ what: "a step of 0", where: "Range", fix: "choose another" });
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  const numbers = Array.from({ length: count }, (_, i) => start + i * delta);
  return constant(dtype, [count], elementsOf(dtype, numbers));
}

/** 0, 1, … along an axis, in a shape that broadcasts to x. */
export function positions(x: Value, axis: number): Value {
  const at = normalizeAxis("Range", axis, x.shape.length);
  const dim = x.shape[at];
  const numbers =
    typeof dim === "number"
      ? range(0, dim)
      : rangeOp(scalar(0, "int64"), reshape(extentOf(x, at), []), scalar(1, "int64"), { to: [dim] });
  return reshape(numbers, [dim, ...Array<number>(x.shape.length - 1 - at).fill(1)]);
}

/** For each element of the last two axes, how far it is to the right of the diagonal. */
function offsets(x: Value): Value {
  return sub(positions(x, -1), positions(x, -2));
}

export interface TriluOptions {
  readonly upper?: boolean;
  /** The offset of the diagonal that bounds the triangle; positive numbers are right of the main diagonal. */
  readonly k?: Operand;
}

/**
 * The upper or lower triangle of the last two axes; zeros elsewhere. https://onnx.ai/onnx/operators/onnx__Trilu.html
 */
export function trilu(x: Value, { upper = true, k = 0 }: TriluOptions = {}): Value {
  return where(upper ? greaterOrEqual(offsets(x), k) : lessOrEqual(offsets(x), k), x, 0);
}

/**
 * Ones on a diagonal, zeros elsewhere, with the shape of a matrix. https://onnx.ai/onnx/operators/onnx__EyeLike.html
 */
export function eyeLike(
  x: Value,
  { k = 0, dtype = x.dtype }: { readonly k?: number; readonly dtype?: DType } = {},
): Value {
  if (x.shape.length !== 2) throw shapeError("EyeLike", "a matrix is needed", [x.shape]);
  return cast(equal(offsets(x), k), { to: dtype });
}

export interface OneHotOptions {
  /** The position of the new axis in the result. The default is the last. */
  readonly axis?: number;
  /** Numbers, or scalars with the dtype of the result. The default dtype is float32. */
  readonly on?: Operand;
  readonly off?: Operand;
}

/**
 * A new axis of extent `depth` with `on` at the index and `off` elsewhere. Negative indices count from the end. Indices
 * out of range give `off` everywhere. https://onnx.ai/onnx/operators/onnx__OneHot.html
 */
export function oneHotEncode(
  index: Value,
  depth: number,
  { axis = -1, on = 1, off = 0 }: OneHotOptions = {},
): Value {
  const rank = index.shape.length + 1;
  const at = normalizeAxis("OneHot", axis, rank);
  const whole = index.dtype === "int64" || index.dtype === "int32" ? index : cast(index, { to: "int64" });
  const places = range(0, depth, 1, whole.dtype);
  const wrapped = where(less(whole, 0), add(whole, depth), whole);
  const named = equal(
    unsqueeze(wrapped, [at]),
    reshape(places, [depth, ...Array<number>(rank - 1 - at).fill(1)]),
  );
  return where(named, typeof on === "number" && typeof off === "number" ? scalar(on) : on, off);
}

const sumSchema = { exclusive: "int", reverse: "int", along: "dims" } as const;

export const cumSumOp: Op<[x: Value, axis: Value], typeof sumSchema> = defineOp({
  type: "CumSum",
  attributes: sumSchema,
  infer: ([x]) => ({ dtype: x.dtype, shape: x.shape }),
  // Each element is part of all later sums, so its gradient is the sum of all later gradients.
  vjp: (_, __, g, { exclusive, reverse, along: [axis] }) => [
    cumSum(g, Number(axis), { exclusive: exclusive === 1, reverse: reverse === 0 }),
    null,
  ],
});

export interface CumSumOptions {
  /** Whether to exclude an element from its own sum. */
  readonly exclusive?: boolean;
  /** Whether sums start at the end. */
  readonly reverse?: boolean;
}

/** Cumulative sums along an axis. https://onnx.ai/onnx/operators/onnx__CumSum.html */
export function cumSum(
  x: Value,
  axis: number,
  { exclusive = false, reverse = false }: CumSumOptions = {},
): Value {
  const at = normalizeAxis("CumSum", axis, x.shape.length);
  return cumSumOp(x, scalar(at, "int64"), {
    exclusive: Number(exclusive),
    reverse: Number(reverse),
    along: [at],
  });
}
