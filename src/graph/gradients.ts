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
   * Values that count as constants, however they were computed, for this call alone; `stopGradient` is the same for
   * every call. Either is what PyTorch calls detached.
   */
  readonly fixed?: readonly Value[];
  /** What stands for the gradient of an x that y does not depend on, where it does depend on another: `zerosLike`. */
  readonly unused?: (x: Value) => Value;
  /** The gradient that arrives at y, of its type and shape: 1 unless given, which y must be a scalar for. */
  readonly seed?: Value;
}

/** A value for each of some values: as many in the type as are written there. */
type ForEach<X extends readonly Value[]> = { readonly [I in keyof X]: Value };

/**
 * The gradients of a scalar y with respect to each x, by reverse accumulation
 * (https://arxiv.org/abs/1502.05767, section 3.2): walk the nodes between them from the last to the first and append
 * each operator's rule. The rules are operators, so the results can be differentiated again. Nothing is appended that
 * only the gradients of other values would need.
 *
 * With a seed g, y may have any shape: the results are the gradients of the sum of g · y.
 *
 * @returns one value of the shape of x for each x.
 * @throws GanOnnxError when y is not a scalar and has no seed, a seed is not of its type, or y does not depend on an x
 * through differentiable operators.
 */
export function gradients<const X extends readonly Value[]>(
  y: Value,
  xs: X,
  { fixed = [], unused, seed }: GradientOptions = {},
): ForEach<X> {
  const arrived = new Map<Value, Value>([[y, seed ? checkedSeed(seed, y) : seedOf(y)]]);
  const constants = new Set(fixed);
  const { nodes, wanted } = paths(xs, y, constants);
  for (const node of nodes.reverse()) {
    const seeds = node.outputs.map((output) =>
      constants.has(output) ? null : (arrived.get(output) ?? null),
    );
    if (seeds.every((seed) => seed === null)) continue;
    atScope(["gradients", node.scope], () => {
      for (const [x, g] of pullBack(node, seeds, wanted)) {
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
 * The nodes on some path from the xs to y that a gradient can take, in the order of their creation, and the values on
 * these paths: those whose gradients are wanted.
 */
function paths(
  xs: readonly Value[],
  y: Value,
  constants: ReadonlySet<Value>,
): { nodes: Node[]; wanted: ReadonlySet<Value> } {
  const wanted = new Set(xs);
  const nodes = nodesBehind([y], constants).filter((node) => {
    const onPath = node.operator.vjp !== null && dependencies(node).some((value) => wanted.has(value));
    if (onPath) for (const output of node.outputs) if (!constants.has(output)) wanted.add(output);
    return onPath;
  });
  return { nodes, wanted };
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

/** One node's rule: gradients for those of its inputs that are wanted, each of its input's shape. */
function pullBack(
  node: Node,
  seeds: readonly (Value | null)[],
  wanted: ReadonlySet<Value>,
): [Value, Value][] {
  const { operator, inputs, outputs, attributes } = node;
  const rule = operator.vjp?.(inputs, outputs, seeds, attributes) ?? [];
  const results = rule.map((g, i) => (wanted.has(inputs[i]) ? (typeof g === "function" ? g() : g) : null));
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

/** Undo broadcasting: what was repeated is summed. */
function sumToShape(g: Value, x: Value): Value {
  const extra = g.shape.length - x.shape.length;
  const axes = g.shape.flatMap((dim, axis) => {
    const own = axis < extra ? 1 : x.shape[axis - extra];
    return axis < extra || (own === 1 && dim !== 1) ? [axis] : [];
  });
  return axes.length === 0 ? g : reshape(sum(g, axes, { keepdims: true }), x.shape);
}
