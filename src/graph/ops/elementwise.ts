import { broadcastShapes } from "../dims.js";
import { defineOp, type Op } from "../operator.js";
import { isFloat, type Operand, scalarNumber, type Value } from "../value.js";
import { broadcast, sameAsInput, sameDType } from "./infer.js";

type One = [x: Operand];
type Two = [a: Operand, b: Operand];

// Rules return gradients with the broadcast shape; `gradients` sums them to the shape of each input.

/** a + b. https://onnx.ai/onnx/operators/onnx__Add.html */
export const add: Op<Two> = defineOp<Two>({
  type: "Add",
  pointwise: true,
  infer: (inputs) => broadcast("Add", inputs),
  vjp: (_, __, g) => [g, g],
});

/** a - b. https://onnx.ai/onnx/operators/onnx__Sub.html */
export const sub: Op<Two> = defineOp<Two>({
  type: "Sub",
  pointwise: true,
  infer: (inputs) => broadcast("Sub", inputs),
  vjp: (_, __, g) => [g, () => neg(g)],
});

/** a · b. https://onnx.ai/onnx/operators/onnx__Mul.html */
export const mul: Op<Two> = defineOp<Two>({
  type: "Mul",
  pointwise: true,
  infer: (inputs) => broadcast("Mul", inputs),
  vjp: ([a, b], _, g) => [() => scale(g, b), () => scale(g, a)],
});

/** a / b. https://onnx.ai/onnx/operators/onnx__Div.html */
export const div: Op<Two> = defineOp<Two>({
  type: "Div",
  pointwise: true,
  infer: (inputs) => broadcast("Div", inputs),
  // d(a/b) = da/b - (a/b)·db/b
  vjp: ([, b], y, g) => [() => div(g, b), () => neg(div(mul(g, y), b))],
});

/**
 * The larger of a and b. Where they are equal, each gets half of the gradient, as in PyTorch.
 * https://onnx.ai/onnx/operators/onnx__Max.html
 */
export const maximum: Op<Two> = defineOp<Two>({
  type: "Max",
  pointwise: true,
  infer: (inputs) => broadcast("Max", inputs),
  vjp: ([a, b], _, g) => {
    const share = (x: Value, other: Value) => where(greater(x, other), g, where(equal(a, b), mul(g, 0.5), 0));
    return [() => share(a, b), () => share(b, a)];
  },
});

/** -x. https://onnx.ai/onnx/operators/onnx__Neg.html */
export const neg: Op<One> = defineOp<One>({
  type: "Neg",
  pointwise: true,
  infer: sameAsInput,
  vjp: (_, __, g) => [neg(g)],
});

/** |x|; the gradient at 0 is 0. https://onnx.ai/onnx/operators/onnx__Abs.html */
export const abs: Op<One> = defineOp<One>({
  type: "Abs",
  pointwise: true,
  infer: sameAsInput,
  vjp: ([x], _, g) => [mul(g, sign(x))],
});

/** -1, 0 or 1, without a gradient. https://onnx.ai/onnx/operators/onnx__Sign.html */
export const sign: Op<One> = defineOp<One>({ type: "Sign", pointwise: true, infer: sameAsInput, vjp: null });

/** eˣ. https://onnx.ai/onnx/operators/onnx__Exp.html */
export const exp: Op<One> = defineOp<One>({
  type: "Exp",
  pointwise: true,
  infer: sameAsInput,
  vjp: (_, y, g) => [mul(g, y)],
});

/** ln x. https://onnx.ai/onnx/operators/onnx__Log.html */
export const log: Op<One> = defineOp<One>({
  type: "Log",
  pointwise: true,
  infer: sameAsInput,
  vjp: ([x], _, g) => [div(g, x)],
});

/** √x. https://onnx.ai/onnx/operators/onnx__Sqrt.html */
export const sqrt: Op<One> = defineOp<One>({
  type: "Sqrt",
  pointwise: true,
  infer: sameAsInput,
  // d√x = 1 / (2√x)
  vjp: (_, y, g) => [div(mul(0.5, g), y)],
});

/** a > b, as bool. https://onnx.ai/onnx/operators/onnx__Greater.html */
export const greater: Op<Two> = defineOp<Two>({
  type: "Greater",
  pointwise: true,
  infer: (inputs) => ({ ...broadcast("Greater", inputs), dtype: "bool" }),
  vjp: null,
});

/** a = b, as bool. https://onnx.ai/onnx/operators/onnx__Equal.html */
export const equal: Op<Two> = defineOp<Two>({
  type: "Equal",
  pointwise: true,
  infer: (inputs) => ({ ...broadcast("Equal", inputs), dtype: "bool" }),
  vjp: null,
});

/** a where the condition holds, b elsewhere. https://onnx.ai/onnx/operators/onnx__Where.html */
export const where: Op<[condition: Value, a: Operand, b: Operand]> = defineOp({
  type: "Where",
  pointwise: true,
  infer: (inputs) => {
    sameDType("Where", [inputs[0], { dtype: "bool" }]);
    const shapes = inputs.map((value) => value.shape);
    return { dtype: sameDType("Where", inputs.slice(1)), shape: broadcastShapes("Where", shapes) };
  },
  vjp: ([condition], _, g) => [null, () => where(condition, g, 0), () => where(condition, 0, g)],
});

/** Convert x to another dtype. Differentiable between floats. https://onnx.ai/onnx/operators/onnx__Cast.html */
export const cast: Op<[x: Value], { to: "dtype" }> = defineOp({
  type: "Cast",
  pointwise: true,
  attributes: { to: "dtype" },
  infer: ([x], { to }) => ({ dtype: to, shape: x.shape }),
  vjp: ([x], y, g) => [isFloat(x.dtype) && isFloat(y.dtype) ? cast(g, { to: x.dtype }) : null],
});

/** x², as one multiplication. */
export function square(x: Value): Value {
  return mul(x, x);
}

/** x · factor. A factor of 1 adds no node: the seed of every backward pass is 1. */
export function scale(x: Value, factor: Operand): Value {
  if (scalarNumber(factor) === 1) return x;
  if (scalarNumber(x) === 1 && typeof factor !== "number") return factor;
  return mul(x, factor);
}
