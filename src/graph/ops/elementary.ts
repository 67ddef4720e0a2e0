import { defineOp, type Op } from "../operator.js";
import type { Operand, Value } from "../value.js";
import { add, div, exp, mul, neg, sqrt, square, sub } from "./elementwise.js";
import { sameAsInput } from "./infer.js";

type One = [x: Operand];

/** A function of each element, by the name of its operator and its derivative. */
function elementary(type: string, derivative: ((x: Value, y: Value) => Value) | null): Op<One> {
  return defineOp<One>({
    type,
    pointwise: true,
    infer: sameAsInput,
    vjp: derivative && (([x], y, g) => [mul(g, derivative(x, y))]),
  });
}

/** sin x. https://onnx.ai/onnx/operators/onnx__Sin.html */
export const sin: Op<One> = elementary("Sin", (x) => cos(x));

/** cos x. https://onnx.ai/onnx/operators/onnx__Cos.html */
export const cos: Op<One> = elementary("Cos", (x) => neg(sin(x)));

/** tan x. https://onnx.ai/onnx/operators/onnx__Tan.html */
export const tan: Op<One> = elementary("Tan", (_, y) => add(square(y), 1));

/** arcsin x. https://onnx.ai/onnx/operators/onnx__Asin.html */
export const asin: Op<One> = elementary("Asin", (x) => div(1, sqrt(sub(1, square(x)))));

/** arccos x. https://onnx.ai/onnx/operators/onnx__Acos.html */
export const acos: Op<One> = elementary("Acos", (x) => div(-1, sqrt(sub(1, square(x)))));

/** arctan x. https://onnx.ai/onnx/operators/onnx__Atan.html */
export const atan: Op<One> = elementary("Atan", (x) => div(1, add(square(x), 1)));

/** sinh x. https://onnx.ai/onnx/operators/onnx__Sinh.html */
export const sinh: Op<One> = elementary("Sinh", (x) => cosh(x));

/** cosh x. https://onnx.ai/onnx/operators/onnx__Cosh.html */
export const cosh: Op<One> = elementary("Cosh", (x) => sinh(x));

/** arsinh x. https://onnx.ai/onnx/operators/onnx__Asinh.html */
export const asinh: Op<One> = elementary("Asinh", (x) => div(1, sqrt(add(square(x), 1))));

/** arcosh x. https://onnx.ai/onnx/operators/onnx__Acosh.html */
export const acosh: Op<One> = elementary("Acosh", (x) => div(1, sqrt(sub(square(x), 1))));

/** artanh x. https://onnx.ai/onnx/operators/onnx__Atanh.html */
export const atanh: Op<One> = elementary("Atanh", (x) => div(1, sub(1, square(x))));

/** The error function, 2/√π · ∫ e^(-t²) from 0 to x. https://onnx.ai/onnx/operators/onnx__Erf.html */
export const erf: Op<One> = elementary("Erf", (x) => mul(2 / Math.sqrt(Math.PI), exp(neg(square(x)))));

// These functions are piecewise constant, so they have no gradient. (torch.round and similar functions return zeros.)

/** The largest integer <= x. https://onnx.ai/onnx/operators/onnx__Floor.html */
export const floor: Op<One> = elementary("Floor", null);

/** The smallest integer >= x. https://onnx.ai/onnx/operators/onnx__Ceil.html */
export const ceil: Op<One> = elementary("Ceil", null);

/** The nearest integer; halves round to even. https://onnx.ai/onnx/operators/onnx__Round.html */
export const round: Op<One> = elementary("Round", null);
