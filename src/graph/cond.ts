import { GanOnnxError } from "../error.js";
import { formatShape, sameShape } from "./dims.js";
import { apply, nextNode } from "./operator.js";
import { capturesBefore } from "./paths.js";
import type { Body, Operator, Value, ValueType } from "./value.js";

type Values = Readonly<Record<string, Value>>;

/**
 * The values of one of two functions. Only that function is computed, as with `jax.lax.cond`. Both may read any outer
 * value. https://onnx.ai/onnx/operators/onnx__If.html
 *
 * @param condition a bool scalar.
 * @param whenTrue returns values by name.
 * @param whenFalse returns values with the same names and types.
 * @throws {@link GanOnnxError} when the names or types differ, or the condition is not a bool scalar.
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

/** A branch: a graph without inputs. Values created before it are captured. */
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

/** Training steps use it to select the phases to compute, so it is never differentiated. */
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
