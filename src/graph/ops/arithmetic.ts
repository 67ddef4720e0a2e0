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
 * The smaller of a and b; where they are equal each gets half of the gradient, as in PyTorch.
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
    const known = scalarNumber(p);
    if (known !== undefined) return [mul(g, mul(pow(x, known - 1), known)), null];
    // ∂xᵖ/∂x = p·xᵖ⁻¹, which is 0 for p = 0 at any x; ∂xᵖ/∂p = xᵖ·ln x, and 0 at x = 0 unless p < 0. What is not
    // chosen is computed of harmless numbers, so that no NaN comes out of it to second order.
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
 * xᵖ, of the dtype of x. A number p of 1, 2, 3, 1/2 or -1 is written as products, a root or a quotient. As in PyTorch
 * the gradient is 0 where p is 0, and that of the exponent is 0 where x is 0 and p is not negative.
 * https://onnx.ai/onnx/operators/onnx__Pow.html
 */
export function pow(x: Value, p: Operand): Value {
  const known = scalarNumber(p);
  if (isFloat(x.dtype) && known !== undefined) {
    switch (known) {
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
 * min(max(x, low), high) with scalar bounds. The gradient passes where low <= x <= high, as torch.clamp's does, and
 * otherwise goes to the bound. https://onnx.ai/onnx/operators/onnx__Clip.html
 */
export function clip(x: Value, low: Operand, high: Operand): Value {
  return clipOp(x, low, high);
}

/**
 * The remainder of a / b. With `fmod` it has the sign of a, as C's function, and floats must have it so; without, that
 * of b, as Python's %. The gradients are g and -g·trunc(a / b). https://onnx.ai/onnx/operators/onnx__Mod.html
 */
export const modOp: Op<Two, { fmod: "int" }> = defineOp({
  type: "Mod",
  pointwise: true,
  attributes: { fmod: "int" },
  infer: (inputs) => broadcast("Mod", inputs),
  vjp: ([a, b], y, g) => (isFloat(a.dtype) ? [g, () => neg(mul(g, div(sub(a, y), b)))] : [null, null]),
});

/** a + b + …, of one or more. https://onnx.ai/onnx/operators/onnx__Sum.html */
export function sumOf(values: readonly Value[]): Value {
  return values.reduce((total, value) => add(total, value));
}

/** The mean of one or more values, element by element. https://onnx.ai/onnx/operators/onnx__Mean.html */
export function meanOf(values: readonly Value[]): Value {
  return values.length === 1 ? values[0] : div(sumOf(values), values.length);
}

/** The largest of one or more values, element by element: {@link maximum} again and again. */
export function maximumOf(values: readonly Value[]): Value {
  return values.reduce((most, value) => maximum(most, value));
}

/** The smallest of one or more values, element by element: {@link minimum} again and again. */
export function minimumOf(values: readonly Value[]): Value {
  return values.reduce((least, value) => minimum(least, value));
}
