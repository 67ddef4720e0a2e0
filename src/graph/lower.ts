import { apply, atScope, type Body, type Node } from "./operator.js";
import { lowerPointwise } from "./ops/layout.js";
import { captures, nodesBehind } from "./paths.js";
import type { Value } from "./value.js";

/**
 * The same values as they are written: each node for which there is a better way in other operators is replaced by
 * that, once gradients have been taken. A replacement's own nodes are looked at again.
 *
 * @param ends values that stay as they are, by what stands for them.
 */
export function lowered(values: readonly Value[], ends: ReadonlyMap<Value, Value> = new Map()): Value[] {
  const known = new Map(ends);
  const now = (value: Value) => known.get(value) ?? value;
  for (const node of nodesBehind(values, new Set(ends.keys()))) {
    const outputs = replacement(node, now);
    node.outputs.forEach((output, i) => {
      known.set(output, outputs[i]);
    });
  }
  return values.map(now);
}

function replacement(node: Node, now: (value: Value) => Value): readonly Value[] {
  const { operator, attributes, scope } = node;
  const inputs = node.inputs.map(now);
  const given = { ...node, inputs };
  const written = atScope([scope, operator.type], () =>
    operator.lower ? operator.lower(given) : operator.pointwise && lowerPointwise(given),
  );
  if (written) return lowered([written], new Map(inputs.map((value) => [value, value])));
  if (!node.body && inputs.every((value, i) => value === node.inputs[i])) return node.outputs;
  return atScope([scope], () => apply(operator, inputs, attributes, node.body && bodyOf(node.body, now)));
}

function bodyOf({ inputs, outputs, captured }: Body, now: (value: Value) => Value): Body {
  const values = lowered(Object.values(outputs), new Map(captured.map((value) => [value, now(value)])));
  const names = Object.keys(outputs);
  return {
    inputs,
    outputs: Object.fromEntries(names.map((name, i) => [name, values[i]])),
    captured: captures(inputs, values),
  };
}
