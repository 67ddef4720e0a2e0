import { GanOnnxError } from "../error.js";
import { formatShape, sameShape } from "./dims.js";
import { atScope, dependencies } from "./operator.js";
import { add } from "./ops/elementwise.js";
import { sum } from "./ops/reduce.js";
import { reshape } from "./ops/reshape.js";
import { nodesBehind } from "./paths.js";
import type { Node } from "./value.js";
import { scalar, type Value } from "./value.js";

export interface GradientOptions {
  /**
   * Values that are constants for this call only, even if they were computed. `stopGradient` does the same for all
   * calls. PyTorch calls both "detached".
   */
  readonly fixed?: readonly Value[];
  /** The gradient of an x that y does not depend on, when y depends on another x, e.g. `zerosLike`. */
  readonly unused?: (x: Value) => Value;
  /** The gradient of y, with the type and shape of y. The default is 1, which requires a scalar y. */
  readonly seed?: Value;
}

/** A tuple type with one value for each element of X. */
type ForEach<X extends readonly Value[]> = { readonly [I in keyof X]: Value };

/**
 * The gradients of a scalar y with respect to each x, by reverse accumulation (https://arxiv.org/abs/1502.05767,
 * section 3.2): visit the nodes between x and y from the last to the first, and append the nodes of each operator's
 * rule. Rules consist of operators, so the results can be differentiated again. Only nodes that the requested gradients
 * need are appended.
 *
 * With a seed g, y may have any shape. The results are then the gradients of the sum of g · y.
 *
 * @returns one value for each x, with the shape of x.
 * @throws {@link GanOnnxError} when y is not a scalar and there is no seed, the seed has another type or shape than y,
 * or y does not depend on an x through differentiable operators.
 */
export function gradients<const X extends readonly Value[]>(
  y: Value,
  xs: X,
  { fixed = [], unused, seed }: GradientOptions = {},
): ForEach<X> {
  const arrived = new Map<Value, Value>([[y, seed ? checkedSeed(seed, y) : seedOf(y)]]);
  const constants = new Set(fixed);
  const { nodes, required } = paths(xs, y, constants);
  for (const node of nodes.reverse()) {
    const seeds = node.outputs.map((output) =>
      constants.has(output) ? null : (arrived.get(output) ?? null),
    );
    if (seeds.every((seed) => seed === null)) continue;
    atScope(["gradients", node.scope], () => {
      for (const [x, g] of pullBack(node, seeds, required)) {
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
  }) as readonly Value[] as ForEach<X>;
}

/**
 * The nodes on the differentiable paths from the xs to y, in order of creation, and the values on these paths: their
 * gradients are required.
 */
function paths(
  xs: readonly Value[],
  y: Value,
  constants: ReadonlySet<Value>,
): { nodes: Node[]; required: ReadonlySet<Value> } {
  const required = new Set(xs);
  const nodes = nodesBehind([y], constants).filter((node) => {
    const onPath = node.operator.vjp !== null && dependencies(node).some((value) => required.has(value));
    if (onPath) for (const output of node.outputs) if (!constants.has(output)) required.add(output);
    return onPath;
  });
  return { nodes, required };
}

function seedOf(y: Value): Value {
  if (y.shape.length === 0) return scalar(1, y.dtype);
  throw new GanOnnxError({
    what: `a value of shape ${formatShape(y.shape)} is not a scalar`,
    where: "gradients",
    fix: "differentiate a sum or a mean, or pass a seed",
  });
}

function checkedSeed(seed: Value, y: Value): Value {
  if (seed.dtype === y.dtype && sameShape(seed.shape, y.shape)) return seed;
  throw new GanOnnxError({
    what: `the seed is ${seed.dtype} ${formatShape(seed.shape)}, and y ${y.dtype} ${formatShape(y.shape)}`,
    where: "gradients",
    fix: "pass a seed of the type and shape of y",
  });
}

/** Apply one node's rule: the gradients of its inputs that are required, each with the shape of its input. */
function pullBack(
  node: Node,
  seeds: readonly (Value | null)[],
  required: ReadonlySet<Value>,
): [Value, Value][] {
  const { operator, inputs, outputs, attributes } = node;
  const rule = operator.vjp?.(inputs, outputs, seeds, attributes) ?? [];
  const results = rule.map((g, i) => (required.has(inputs[i]) ? (typeof g === "function" ? g() : g) : null));
  return results.flatMap((g, i): [Value, Value][] => {
    if (!g) return [];
    const x = inputs[i];
    const summed = sumToShape(g, x);
    if (summed.dtype !== x.dtype || !sameShape(summed.shape, x.shape)) {
      throw new GanOnnxError({
        what: `its rule gives ${g.dtype} ${formatShape(g.shape)} for input ${i}, which is ${x.dtype} ${formatShape(x.shape)}`,
        where: operator.type,
        fix: "correct the rule",
      });
    }
    return [[x, summed]];
  });
}

/** Undo broadcasting: sum over the repeated elements. */
function sumToShape(g: Value, x: Value): Value {
  const extra = g.shape.length - x.shape.length;
  const axes = g.shape.flatMap((dim, axis) => {
    const own = axis < extra ? 1 : x.shape[axis - extra];
    return axis < extra || (own === 1 && dim !== 1) ? [axis] : [];
  });
  return axes.length === 0 ? g : reshape(sum(g, axes, { keepdims: true }), x.shape);
}
