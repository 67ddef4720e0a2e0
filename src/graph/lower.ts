import { apply, atScope, nameNode } from "./operator.js";
import { lowerPointwise } from "./ops/layout.js";
import { captures, capturesOf, nodesBehind } from "./paths.js";
import type { Body, Node, Value } from "./value.js";

/** The value to write for each value that was visited. A value that is written unchanged maps to itself. */
type Written = Map<Value, Value>;

/**
 * Replace nodes by other operators for writing, where an operator defines a replacement. This happens after gradients
 * have been computed. The nodes of a replacement are lowered again.
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
  if (!node.bodies && inputs.every((value, i) => value === node.inputs[i])) return node.outputs;
  const bodies =
    node.bodies &&
    Object.fromEntries(Object.entries(node.bodies).map(([key, body]) => [key, bodyOf(body, written)]));
  const outputs = atScope([scope], () => apply(operator, inputs, attributes, bodies));
  for (const output of outputs) nameNode(output, node.name);
  return outputs;
}

function bodyOf({ inputs, outputs, captured }: Body, written: Written): Body {
  const values = lower(Object.values(outputs), written);
  return {
    inputs,
    outputs: Object.fromEntries(Object.keys(outputs).map((name, i) => [name, values[i]])),
    captured:
      inputs.length > 0
        ? captures(inputs, values)
        : capturesOf(
            values,
            captured.map((value) => written.get(value) ?? value),
          ),
  };
}
