import { apply, atScope, nameNode } from "./operator.js";
import { lowerPointwise } from "./ops/layout.js";
import { captures, nodesBehind } from "./paths.js";
import type { Body, Node, Value } from "./value.js";

/** What is written for each value that was looked at; what is written stands for itself. */
type Written = Map<Value, Value>;

/**
 * The same values as they are written: each node for which there is a better way in other operators is replaced by
 * that, once gradients have been taken. A replacement's own nodes are looked at again.
 */
export function lowered(values: readonly Value[]): readonly Value[] {
  return lower(values, new Map());
}

function lower(values: readonly Value[], written: Written): readonly Value[] {
  for (const node of nodesBehind(values, written)) {
    const outputs = replacement(node, written);
    node.outputs.forEach((output, i) => {
      written.set(output, outputs[i]).set(outputs[i], outputs[i]);
    });
  }
  return values.map((value) => written.get(value) ?? value);
}

function replacement(node: Node, written: Written): readonly Value[] {
  const { operator, attributes, scope } = node;
  const inputs = node.inputs.map((value) => written.get(value) ?? value);
  const given = { ...node, inputs };
  const better = atScope([scope, operator.type], () =>
    operator.lower ? operator.lower(given) : operator.pointwise && lowerPointwise(given),
  );
  if (better) return lower([better], written);
  if (!node.body && inputs.every((value, i) => value === node.inputs[i])) return node.outputs;
  const body = node.body && bodyOf(node.body, written);
  const outputs = atScope([scope], () => apply(operator, inputs, attributes, body));
  for (const output of outputs) nameNode(output, node.name);
  return outputs;
}

function bodyOf({ inputs, outputs }: Body, written: Written): Body {
  const values = lower(Object.values(outputs), written);
  return {
    inputs,
    outputs: Object.fromEntries(Object.keys(outputs).map((name, i) => [name, values[i]])),
    captured: captures(inputs, values),
  };
}
