import type { Operand, Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import { isFloat } from "../../graph/value.js";
import type { Call, Rule, Rules } from "../call.js";
import { dtypeOf, nameOfElementType } from "../tensors-in.js";

/** A rule for an operator with one input and no attributes. */
export const one =
  (f: (x: Value) => Value): Rule =>
  (call) =>
    f(call.input(0));

const two =
  (f: (a: Value, b: Value) => Value): Rule =>
  (call) =>
    f(call.input(0), call.input(1));

const several =
  (f: (values: readonly Value[]) => Value): Rule =>
  (call) =>
    f(call.values.map((_, i) => call.input(i)));

/** The element type in an attribute. */
export function dtypeIn(call: Call, name: string, standard?: number): Value["dtype"] {
  const given = call.attribute(name, "int") ?? standard ?? call.fail(`the attribute ${name} is missing`);
  return dtypeOf(given) ?? call.fail(`elements of ${nameOfElementType(given)} are not supported`);
}

function cast(x: Value, to: Value["dtype"]): Value {
  return x.dtype === to ? x : graph.cast(x, { to });
}

/** The bounds are attributes before opset 11 and inputs from then on. An absent bound has no effect. */
function clip(call: Call): Value {
  const x = call.input(0);
  const bound = (name: string, i: number): Operand | undefined =>
    call.opset < 11 ? call.attribute(name, "float") : call.optional(i);
  const [low, high] = [bound("min", 1), bound("max", 2)];
  if (low === undefined && high === undefined) return x;
  if (isFloat(x.dtype))
    return graph.clip(x, low ?? Number.NEGATIVE_INFINITY, high ?? Number.POSITIVE_INFINITY);
  const raised = low === undefined ? x : graph.maximum(x, low);
  return high === undefined ? raised : graph.minimum(raised, high);
}

export const elementwise: Rules = {
  Add: two(graph.add),
  Sub: two(graph.sub),
  Mul: two(graph.mul),
  Div: two(graph.div),
  Mod: (call) => graph.modOp(call.input(0), call.input(1), { fmod: call.int("fmod", 0) }),
  Pow: two(graph.pow),
  Sum: several(graph.sumOf),
  Mean: several(graph.meanOf),
  Max: several(graph.maximumOf),
  Min: several(graph.minimumOf),
  Neg: one(graph.neg),
  Abs: one(graph.abs),
  Sign: one(graph.sign),
  Exp: one(graph.exp),
  Log: one(graph.log),
  Sqrt: one(graph.sqrt),
  Reciprocal: one(graph.reciprocal),
  Sin: one(graph.sin),
  Cos: one(graph.cos),
  Tan: one(graph.tan),
  Asin: one(graph.asin),
  Acos: one(graph.acos),
  Atan: one(graph.atan),
  Sinh: one(graph.sinh),
  Cosh: one(graph.cosh),
  Asinh: one(graph.asinh),
  Acosh: one(graph.acosh),
  Atanh: one(graph.atanh),
  Erf: one(graph.erf),
  Floor: one(graph.floor),
  Ceil: one(graph.ceil),
  Round: one(graph.round),
  Clip: clip,
  Greater: two(graph.greater),
  GreaterOrEqual: two(graph.greaterOrEqual),
  Less: two(graph.less),
  LessOrEqual: two(graph.lessOrEqual),
  Equal: two(graph.equal),
  And: two(graph.and),
  Or: two(graph.or),
  Xor: two(graph.xor),
  Not: one(graph.not),
  IsNaN: one(graph.isNaNOp),
  IsInf: (call) =>
    graph.isInfOp(call.input(0), {
      detect_negative: call.int("detect_negative", 1),
      detect_positive: call.int("detect_positive", 1),
    }),
  Where: (call) => graph.where(call.input(0), call.input(1), call.input(2)),
  Cast: (call) => {
    const to = call.required("to", "int");
    if (/^b?float16$/.test(nameOfElementType(to)))
      call.note(`${nameOfElementType(to)} is computed as float32`);
    return cast(call.input(0), dtypeIn(call, "to"));
  },
  CastLike: two((x, like) => cast(x, like.dtype)),
};
