import { defineOp, type Op } from "../operator.js";
import type { Operand, Value, ValueType } from "../value.js";
import { broadcast, sameDType } from "./infer.js";

type One = [x: Value];
type Two = [a: Operand, b: Operand];

/** The result is bool with the broadcast shape. If a dtype is given, the inputs must have it. */
function truth(operator: string, inputs: readonly Value[], dtype?: "bool"): ValueType {
  if (dtype) sameDType(operator, [...inputs, { dtype }]);
  return { ...broadcast(operator, inputs), dtype: "bool" };
}

function comparison(type: string): Op<Two> {
  return defineOp<Two>({ type, pointwise: true, infer: (inputs) => truth(type, inputs), vjp: null });
}

function connective(type: string): Op<[a: Value, b: Value]> {
  return defineOp<[a: Value, b: Value]>({
    type,
    pointwise: true,
    infer: (inputs) => truth(type, inputs, "bool"),
    vjp: null,
  });
}

/** a < b, as bool. https://onnx.ai/onnx/operators/onnx__Less.html */
export const less = comparison("Less");

/** a >= b, as bool. https://onnx.ai/onnx/operators/onnx__GreaterOrEqual.html */
export const greaterOrEqual = comparison("GreaterOrEqual");

/** a <= b, as bool. https://onnx.ai/onnx/operators/onnx__LessOrEqual.html */
export const lessOrEqual = comparison("LessOrEqual");

/** a AND b. https://onnx.ai/onnx/operators/onnx__And.html */
export const and = connective("And");

/** a OR b. https://onnx.ai/onnx/operators/onnx__Or.html */
export const or = connective("Or");

/** a XOR b. https://onnx.ai/onnx/operators/onnx__Xor.html */
export const xor = connective("Xor");

/** NOT x. https://onnx.ai/onnx/operators/onnx__Not.html */
export const not: Op<One> = defineOp<One>({
  type: "Not",
  pointwise: true,
  infer: (inputs) => truth("Not", inputs, "bool"),
  vjp: null,
});

/** Whether a float is NaN. https://onnx.ai/onnx/operators/onnx__IsNaN.html */
export const isNaNOp: Op<One> = defineOp<One>({
  type: "IsNaN",
  pointwise: true,
  infer: (inputs) => truth("IsNaN", inputs),
  vjp: null,
});

/** Whether a float is infinite, for the selected signs (1 or 0). https://onnx.ai/onnx/operators/onnx__IsInf.html */
export const isInfOp: Op<One, { detect_negative: "int"; detect_positive: "int" }> = defineOp({
  type: "IsInf",
  pointwise: true,
  attributes: { detect_negative: "int", detect_positive: "int" },
  infer: (inputs) => truth("IsInf", inputs),
  vjp: null,
});
