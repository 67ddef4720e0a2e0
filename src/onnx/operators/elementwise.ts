import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import type { Call, Rule, Rules } from "../call.js";
import { dtypeOf, nameOfElementType } from "../tensors-in.js";

/** An operator of one input and no attributes. */
export const one =
  (f: (x: Value) => Value): Rule =>
  (call) =>
    f(call.input(0));

const two =
  (f: (a: Value, b: Value) => Value): Rule =>
  (call) =>
    f(call.input(0), call.input(1));

/** The element type that an attribute names. */
export function dtypeIn(call: Call, name: string, standard?: number) {
  const given = call.attribute(name, "int") ?? standard ?? call.fail(`the attribute ${name} is missing`);
  return dtypeOf(given) ?? call.fail(`elements of ${nameOfElementType(given)} are not supported`);
}

export const elementwise: Rules = {
  Add: two(graph.add),
  Sub: two(graph.sub),
  Mul: two(graph.mul),
  Div: two(graph.div),
  Neg: one(graph.neg),
  Abs: one(graph.abs),
  Sign: one(graph.sign),
  Exp: one(graph.exp),
  Log: one(graph.log),
  Sqrt: one(graph.sqrt),
  Greater: two(graph.greater),
  Equal: two(graph.equal),
  Where: (call) => graph.where(call.input(0), call.input(1), call.input(2)),
  Cast: (call) => cast(call.input(0), dtypeIn(call, "to")),
  CastLike: (call) => cast(call.input(0), call.input(1).dtype),
};

function cast(x: Value, to: Value["dtype"]): Value {
  return x.dtype === to ? x : graph.cast(x, { to });
}
