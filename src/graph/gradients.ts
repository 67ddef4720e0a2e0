import { GanOnnxError } from "../error.js";
import { formatShape, sameShape } from "./dims.js";
import { atScope } from "./operator.js";
import { add } from "./ops/elementwise.js";
import { sum } from "./ops/reduce.js";
import { reshape } from "./ops/shape.js";
import { nodesBetween } from "./paths.js";
import type { Node } from "./value.js";
import { scalar, type Value } from "./value.js";

/**
 * The gradients of a scalar y with respect to each x, by reverse accumulation
 * (https://arxiv.org/abs/1502.05767, section 3.2): walk the nodes between them from the last to the first and append
 * each operator's rule. The rules are operators, so the results can be differentiated again.
 *
 * @param fixed values that count as constants, however they were computed: what PyTorch calls detached.
 * @param unused what stands for the gradient of an x that y does not depend on, where it does depend on another.
 * @returns one value of the shape of x for each x.
 * @throws GanOnnxError when y is no scalar, or does not depend on an x through differentiable operators.
 */
export function gradients(
  y: Value,
  xs: readonly Value[],
  fixed: readonly Value[] = [],
  unused?: (x: Value) => Value,
): readonly Value[] {
  if (y.shape.length > 0) {
    throw new GanOnnxError({
      what: `a value of shape ${formatShape(y.shape)} is no scalar`,
      where: "gradients",
      fix: "differentiate a sum or a mean",
    });
  }
  const arrived = new Map<Value, Value>([[y, scalar(1, y.dtype)]]);
  const constants = new Set(fixed);
  for (const node of nodesBetween(xs, [y], fixed).reverse()) {
    const seeds = node.outputs.map((output) =>
      constants.has(output) ? null : (arrived.get(output) ?? null),
    );
    if (seeds.every((seed) => seed === null)) continue;
    atScope(["gradients", node.scope], () => {
      for (const [x, g] of pullBack(node, seeds)) {
        const before = arrived.get(x);
        arrived.set(x, before ? add(before, g) : g);
      }
    });
  }
  const some = xs.some((x) => arrived.has(x));
  return xs.map((x, i) => {
    const g = arrived.get(x);
    if (g) return g;
    if (unused && some) return unused(x);
    throw new GanOnnxError({
      what: `y does not depend on x number ${i} (shape ${formatShape(x.shape)})`,
      where: "gradients",
      fix: "ask only for gradients of what y is computed from",
    });
  });
}

/** One node's rule: gradients for its inputs, each of its input's shape. */
function pullBack(node: Node, seeds: readonly (Value | null)[]): [Value, Value][] {
  const { operator, inputs, outputs, attributes } = node;
  const results = operator.vjp?.(inputs, outputs, seeds, attributes) ?? [];
  return results.flatMap((g, i): [Value, Value][] => {
    if (!g) return [];
    const x = inputs[i];
    const summed = sumToShape(g, x);
    if (summed.dtype !== x.dtype || !sameShape(summed.shape, x.shape)) {
      throw new GanOnnxError({
        what: `its rule gives ${g.dtype} ${formatShape(g.shape)} for input ${i}, which is ${x.dtype} ${formatShape(x.shape)}`,
        where: operator.type,
        fix: "mend the rule",
      });
    }
    return [[x, summed]];
  });
}

/** Undo broadcasting: what was repeated is summed. */
function sumToShape(g: Value, x: Value): Value {
  const extra = g.shape.length - x.shape.length;
  const axes = g.shape.flatMap((dim, axis) => {
    const own = axis < extra ? 1 : x.shape[axis - extra];
    return axis < extra || (own === 1 && dim !== 1) ? [axis] : [];
  });
  return axes.length === 0 ? g : reshape(sum(g, axes, { keepdims: true }), x.shape);
}
