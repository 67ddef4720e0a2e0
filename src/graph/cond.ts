import { GanOnnxError } from "../error.js";
import { formatShape, sameShape } from "./dims.js";
import { apply, nextNode } from "./operator.js";
import { capturesBefore } from "./paths.js";
import type { Body, Operator, Value, ValueType } from "./value.js";

type Values = Readonly<Record<string, Value>>;

/**
 * What one of two functions makes, and only that one is computed: `jax.lax.cond` as ONNX has it. Either may read any
 * value around it. https://onnx.ai/onnx/operators/onnx__If.html
 *
 * @param condition a bool scalar.
 * @param whenTrue makes values, by name.
 * @param whenFalse makes values of the same names and types.
 * @throws GanOnnxError when the names or types differ, or the condition is no bool scalar.
 */
export function cond<V extends Values>(condition: Value, whenTrue: () => V, whenFalse: () => V): V {
  if (condition.dtype !== "bool" || condition.shape.length > 0) {
    throw new GanOnnxError({
      what: `the condition is ${condition.dtype} ${formatShape(condition.shape)}`,
      where: "If",
      fix: "pass a bool scalar",
    });
  }
  const bodies = { then_branch: bodyOf("then", whenTrue), else_branch: bodyOf("else", whenFalse) };
  const [a, b] = [bodies.then_branch, bodies.else_branch].map(({ outputs }) => Object.values(outputs));
  const names = Object.keys(bodies.then_branch.made);
  const others = Object.keys(bodies.else_branch.made);
  const differs = (i: number) => a[i].dtype !== b[i].dtype || !sameShape(a[i].shape, b[i].shape);
  const odd = names.findIndex((name, i) => name !== others[i] || differs(i));
  if (odd >= 0 || names.length !== others.length) {
    throw new GanOnnxError({
      what: `the branches differ: ${described(names[odd], a[odd])}, and ${described(others[odd], b[odd])}`,
      where: "If",
      fix: "return values of the same names and types, in the same order, from both",
    });
  }
  const results = apply(ifOperator(a), [condition], {}, bodies);
  return Object.fromEntries(names.map((name, i) => [name, results[i]])) as V;
}

/** A branch: a graph without inputs of its own. What was there before it is captured. */
function bodyOf(branch: string, make: () => Values): Body & { readonly made: Values } {
  const first = nextNode();
  const made = make();
  const outputs = Object.fromEntries(
    Object.entries(made).map(([name, value]) => [`${branch}/${name}`, value] as const),
  );
  return { made, inputs: [], outputs, captured: capturesBefore(first, Object.values(made)) };
}

function described(name: string | undefined, value: Value | undefined): string {
  return value ? `${name} ${value.dtype} ${formatShape(value.shape)}` : "nothing";
}

/** Training steps choose by it which of their phases to compute, so nothing differentiates through it. */
function ifOperator(types: readonly ValueType[]): Operator {
  return {
    type: "If",
    attributes: {},
    infer: () => types.map(({ dtype, shape }) => ({ dtype, shape })),
    vjp: () => {
      throw new GanOnnxError({
        what: "has no gradient",
        where: "If",
        fix: "call gradients() inside the branches",
      });
    },
  };
}
