import { dependencies } from "./operator.js";
import type { Node, Value } from "./value.js";

/** All nodes that the values depend on, back to the given ends, in order of creation. */
export function nodesBehind(
  values: readonly Value[],
  ends: Pick<ReadonlySet<Value>, "has"> = new Set(),
): Node[] {
  const nodes = new Set<Node>();
  const pending = [...values];
  for (let value = pending.pop(); value; value = pending.pop()) {
    if (value.origin.kind !== "node" || nodes.has(value.origin.node) || ends.has(value)) continue;
    nodes.add(value.origin.node);
    pending.push(...dependencies(value.origin.node));
  }
  return [...nodes].sort((a, b) => a.id - b.id);
}

/** The nodes on the paths from the sources to the targets, in order of creation. */
function nodesBetween(sources: readonly Value[], targets: readonly Value[]): Node[] {
  const reached = new Set(sources);
  return nodesBehind(targets).filter((node) => {
    const onPath = dependencies(node).some((value) => reached.has(value));
    if (onPath) for (const output of node.outputs) reached.add(output);
    return onPath;
  });
}

/** The outermost values that the outputs need and that do not depend on the inputs. */
export function captures(inputs: readonly Value[], outputs: readonly Value[]): readonly Value[] {
  const inside = nodesBetween(inputs, outputs);
  const own = new Set([...inputs, ...inside.flatMap((node) => node.outputs)]);
  const read = new Set([...inside.flatMap(dependencies), ...outputs]);
  return [...read].filter((value) => !own.has(value) && value.origin.kind !== "constant");
}

/**
 * The same for a body without inputs: the outer values that the outputs need.
 *
 * @param outer outer values. All values that they depend on are outer values too.
 */
export function capturesOf(outputs: readonly Value[], outer: readonly Value[]): readonly Value[] {
  const outside = new Set([...outer, ...nodesBehind(outer).flatMap((node) => node.outputs)]);
  return readFrom(outputs, outside);
}

/** The values created before the node with this id that the outputs depend on. */
export function capturesBefore(node: number, outputs: readonly Value[]): readonly Value[] {
  return readFrom(outputs, { has: ({ origin }) => origin.kind === "node" && origin.node.id < node });
}

/** The first outer values on the paths from the outputs back. */
function readFrom(outputs: readonly Value[], outside: Pick<ReadonlySet<Value>, "has">): readonly Value[] {
  const read = new Set([...outputs, ...nodesBehind(outputs, outside).flatMap(dependencies)]);
  return [...read].filter(
    (value) => value.origin.kind === "input" || (value.origin.kind === "node" && outside.has(value)),
  );
}

/** The graph inputs that the values depend on. */
export function inputsBehind(values: readonly Value[]): ReadonlySet<Value> {
  const read = [...values, ...nodesBehind(values).flatMap(dependencies)];
  return new Set(read.filter(({ origin }) => origin.kind === "input"));
}
