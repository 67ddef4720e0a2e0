import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GanOnnxError } from "../error.js";
import { listNodes, type ModelNode } from "../onnx/index.js";
import { requireProvider } from "./examine.node.js";
import { optionsFor } from "./providers.js";
import type { SessionPlace } from "./session.node.js";
import { sessionInChild } from "./session-child.node.js";

/** A node after ONNX Runtime's optimizations, and the provider that runs it. */
export interface PlacedNode extends ModelNode {
  /** The short name of the provider, e.g. `webgpu`. A model may also use other providers. */
  readonly provider: string;
}

/**
 * Find the provider of each node of a model, including the bodies of loops, in the order of the optimized model. The
 * model is loaded in a separate process and not run.
 *
 * @param where the name of the model for messages, e.g. a file name.
 * @throws {@link GanOnnxError} when the provider is not available or refuses the model.
 */
export async function placementOf(
  model: Uint8Array,
  place: SessionPlace,
  where: string,
): Promise<readonly PlacedNode[]> {
  const { ep, ...settings } = place;
  const options = await optionsFor(model, ep, { ...settings, cpuNodes: true });
  await requireProvider(ep, place.device);
  const folder = await mkdtemp(join(tmpdir(), "gan-onnx-placement-"));
  try {
    const optimizedModelFilePath = join(folder, "optimized.onnx");
    const loud = { ...options, logSeverityLevel: 0 as const, optimizedModelFilePath };
    const { ok, reason, log } = await sessionInChild(model, loud, { run: false });
    if (!ok) {
      throw new GanOnnxError({
        what: `the execution provider ${ep} cannot load it (${reason})`,
        where,
        fix: "name an ONNX model, and see what `gan-onnx doctor` reports for the provider",
      });
    }
    return placed(listNodes(await readFile(optimizedModelFilePath)), log);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Read the placement from a verbose log. It has a line "Node placements", then for each provider a line " Node(s)
 * placed on [X]" and indented lines "Operator (name)". If one provider has all nodes, the log contains only "All nodes
 * placed on [X]" (onnxruntime/core/framework/session_state.cc, VerifyEachNodeIsAssignedToAnEp).
 */
function placed(nodes: readonly ModelNode[], log: string): PlacedNode[] {
  const all = /All nodes placed on \[(\w+)\]/.exec(log)?.[1];
  const providers = new Map<string, string[]>();
  let provider = "";
  for (const [, line] of log.matchAll(/ VerifyEachNodeIsAssignedToAnEp\] +(.+)$/gm)) {
    const heading = /^Node\(s\) placed on \[(\w+)\]/.exec(line);
    if (heading) provider = heading[1];
    else providers.set(line, [...(providers.get(line) ?? []), provider]);
  }
  // If several nodes have the same name, their number per provider is still correct.
  return nodes.map((node) => {
    const name = providers.get(`${node.operator} (${node.name})`)?.shift() ?? all ?? "unknown";
    return { ...node, provider: name.replace(/ExecutionProvider$/, "").toLowerCase() };
  });
}

/** The number of nodes of each operator, the most frequent first: `Gemm 12, Add 3`. */
export function operatorCounts(nodes: readonly ModelNode[]): string {
  const counts = new Map<string, number>();
  for (const { operator } of nodes) counts.set(operator, (counts.get(operator) ?? 0) + 1);
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([operator, count]) => `${operator} ${count}`)
    .join(", ");
}

/** A warning about nodes that run on the CPU instead of the provider; undefined when there are none. */
export function cpuNodesWarning(nodes: readonly PlacedNode[], { ep }: SessionPlace): string | undefined {
  const onCpu = nodes.filter(({ provider }) => provider === "cpu");
  if (ep === "cpu" || onCpu.length === 0) return undefined;
  const each = onCpu.filter(({ inBody }) => inBody);
  return (
    `of ${nodes.length} nodes the CPU runs ${onCpu.length} that ${ep} does not take: ${operatorCounts(onCpu)}; ` +
    `in every step: ${each.length > 0 ? operatorCounts(each) : "none"}`
  );
}
