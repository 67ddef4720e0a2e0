import { defineOp, type Op } from "../operator.js";
import { isFloat, type Operand, scalarNumber, type Value } from "../value.js";
import {
  add,
  cast,
  div,
  equal,
  greater,
  log,
  maximum,
  mul,
  neg,
  sqrt,
  square,
  sub,
  where,
} from "./elementwise.js";
import { broadcast, sameAsInput, sameDType } from "./infer.js";
import { and, greaterOrEqual, less, lessOrEqual, or } from "./logic.js";
import { onesLike } from "./shape.js";

type Two = [a: Operand, b: Operand];

/**
 * The smaller of a and b. Where they are equal, each gets half of the gradient, as in PyTorch.
 * https://onnx.ai/onnx/operators/onnx__Min.html
 */
export const minimum: Op<Two> = defineOp<Two>({
  type: "Min",
  pointwise: true,
  infer: (inputs) => broadcast("Min", inputs),
  vjp: ([a, b], _, g) => {
    const share = (x: Value, other: Value) => where(less(x, other), g, where(equal(a, b), mul(g, 0.5), 0));
    return [() => share(a, b), () => share(b, a)];
  },
});

/** 1 / x. https://onnx.ai/onnx/operators/onnx__Reciprocal.html */
export function reciprocal(x: Value): Value {
  return div(1, x);
}

export const powOp: Op<[x: Value, exponent: Value]> = defineOp<[x: Value, exponent: Value]>({
  type: "Pow",
  pointwise: true,
  infer: ([x, exponent]) => broadcast("Pow", [x, { ...exponent, dtype: x.dtype }]),
  vjp: ([x, p], y, g) => {
    if (!isFloat(x.dtype)) return [null, null];
    const exponent = scalarNumber(p);
    if (exponent !== undefined) return [mul(g, mul(pow(x, exponent - 1), exponent)), null];
    // ∂xᵖ/∂x = p·xᵖ⁻¹, which is 0 for p = 0 at any x. ∂xᵖ/∂p = xᵖ·ln x, and 0 at x = 0 unless p < 0. The branch that is
    // not selected gets safe inputs, so that it gives no NaN in second-order gradients.
    const slope = () => {
      const flat = equal(p, 0);
      return where(flat, 0, mul(g, mul(p, powOp(x, where(flat, 1, add(p, -1))))));
    };
    const slopeInExponent = () => {
      const still = and(equal(x, 0), greaterOrEqual(p, 0));
      return where(still, 0, mul(mul(g, y), log(where(still, 1, x))));
    };
    return [slope, slopeInExponent];
  },
});

/**
 * xᵖ, with the dtype of x. If p is the number 1, 2, 3, 1/2 or -1, it is written as products, a root or a quotient. As
 * in PyTorch, the gradient of x is 0 where p is 0, and the gradient of p is 0 where x is 0 and p is not negative.
 * https://onnx.ai/onnx/operators/onnx__Pow.html
 */
export function pow(x: Value, p: Operand): Value {
  const number = scalarNumber(p);
  if (isFloat(x.dtype) && number !== undefined) {
    switch (number) {
      case 0:
        return onesLike(x);
      case 1:
        return x;
      case 2:
        return square(x);
      case 3:
        return mul(square(x), x);
      case 0.5:
        return sqrt(x);
      case -1:
        return reciprocal(x);
    }
  }
  const exponent =
    typeof p === "number" || p.dtype === x.dtype || !isFloat(x.dtype) ? p : cast(p, { to: x.dtype });
  return (powOp as Op<Two>)(x, exponent);
}

export const clipOp: Op<[x: Value, low: Operand, high: Operand]> = defineOp<
  [x: Value, low: Operand, high: Operand]
>({
  type: "Clip",
  pointwise: true,
  infer: (inputs) => {
    sameDType("Clip", inputs);
    return sameAsInput(inputs);
  },
  vjp: ([x, low, high], _, g) => {
    return [
      () => where(or(less(x, low), greater(x, high)), 0, g),
      () => where(and(less(x, low), lessOrEqual(low, high)), g, 0),
      () => where(greater(maximum(x, low), high), g, 0),
    ];
  },
});

/**
 * min(max(x, low), high) with scalar bounds. The gradient goes to x where low <= x <= high, as in torch.clamp, and to
 * the bound elsewhere. https://onnx.ai/onnx/operators/onnx__Clip.html
 */
export function clip(x: Value, low: Operand, high: Operand): Value {
  return clipOp(x, low, high);
}

/**
 * The remainder of a / b. With `fmod` it has the sign of a, as C's fmod; floats require this. Without `fmod` it has the
 * sign of b, as Python's %. The gradients are g and -g·trunc(a / b). https://onnx.ai/onnx/operators/onnx__Mod.html
 */
export const modOp: Op<Two, { fmod: "int" }> = defineOp({
  type: "Mod",
  pointwise: true,
  attributes: { fmod: "int" },
  infer: (inputs) => broadcast("Mod", inputs),
  vjp: ([a, b], y, g) => (isFloat(a.dtype) ? [g, () => neg(mul(g, div(sub(a, y), b)))] : [null, null]),
});

/** The sum of one or more values. https://onnx.ai/onnx/operators/onnx__Sum.html */
export function sumOf(values: readonly Value[]): Value {
  return values.reduce((total, value) => add(total, value));
}

/** The mean of one or more values, per element. https://onnx.ai/onnx/operators/onnx__Mean.html */
export function meanOf(values: readonly Value[]): Value {
  return values.length === 1 ? values[0] : div(sumOf(values), values.length);
}

/** The largest of one or more values, per element: repeated {@link maximum}. */
export function maximumOf(values: readonly Value[]): Value {
  return values.reduce((most, value) => maximum(most, value));
}

/** The smallest of one or more values, per element: repeated {@link minimum}. */
export function minimumOf(values: readonly Value[]): Value {
  return values.reduce((least, value) => minimum(least, value));
}
