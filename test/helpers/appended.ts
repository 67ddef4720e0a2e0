import { input, neg, type Value } from "../../src/graph/index.js";
import { nodesBehind } from "../../src/graph/paths.js";

/** The id of the next node. Ids are counted over the whole process. */
function nextId(): number {
  const { origin } = neg(input("counted", "float32", []));
  return origin.kind === "node" ? origin.node.id : Number.NaN;
}

/** How many nodes `trace` appends, and how many of them its results need. */
export function appendedBy(trace: () => readonly Value[]): { made: number; needed: number } {
  const before = nextId();
  const values = trace();
  const made = nextId() - before - 1;
  return { made, needed: nodesBehind(values).filter(({ id }) => id > before).length };
}
