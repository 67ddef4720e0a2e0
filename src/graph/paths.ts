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

/** The graph inputs that the values depend on. */
export function inputsBehind(values: readonly Value[]): ReadonlySet<Value> {
  const read = [...values, ...nodesBehind(values).flatMap(dependencies)];
  return new Set(read.filter(({ origin }) => origin.kind === "input"));
}
