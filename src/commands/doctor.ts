import type { Argv, CommandModule } from "yargs";
import { z } from "zod";
import { parseArguments, runSchema } from "../config.js";
import type { SessionPlace } from "../runtime/session.node.js";
import { common, settingsOptions } from "./options.js";
import { print } from "./output.js";

const schema = z.object({
  graph: z.string().optional(),
  ep: runSchema.shape.ep.unwrap().optional(),
  device: runSchema.shape.device,
  json: z.boolean().default(false),
});

export const doctor: CommandModule = {
  command: "doctor",
  describe: "show which execution providers work here, and what the others lack",
  builder: (argv: Argv) =>
    settingsOptions(argv, ["ep", "device"])
      .option("ep", { describe: "the execution provider to check (default: all)" })
      .option("graph", {
        type: "string",
        requiresArg: true,
        describe: "show on which provider each node of this model runs with --ep (default: none)",
      })
      .option("json", common.json)
      .example("$0 doctor", "check all execution providers")
      .example("$0 doctor --ep webgpu --graph train.onnx", "where the nodes of a model run"),
  async handler(argv) {
    const { graph, ep, device, json } = parseArguments(schema, argv);
    if (graph !== undefined) return tellPlacement(graph, { ep: ep ?? "cpu", device }, json);
    await tellProviders({ ep, device }, json);
  },
};

async function tellProviders({ ep, device }: Partial<SessionPlace>, json: boolean): Promise<void> {
  const { examine } = await import("../runtime/examine.node.js");
  const { providerNames } = await import("../runtime/providers.js");
  const names = ep === undefined ? providerNames : [ep];
  const reports = await Promise.all(names.map((name) => examine(name, { device })));
  // With --ep, the exit status reports whether the provider can be used.
  if (ep !== undefined && reports.some(({ available }) => !available)) process.exitCode = 1;
  if (json) {
    print(JSON.stringify(reports));
    return;
  }
  for (const { name, available, findings, reason, fix } of reports) {
    print(`${name.padEnd(8)} ${available ? "available" : "not available"}`);
    for (const { subject, ok, detail, fix } of findings) {
      print(`  ${ok ? "ok" : "--"} ${subject}: ${fix ? `${detail}; ${fix}` : detail}`);
    }
    if (reason) print(`  why: ${reason}`);
    if (fix) print(`  fix: ${fix}`);
  }
}

async function tellPlacement(file: string, place: SessionPlace, json: boolean): Promise<void> {
  const { operatorCounts, placementOf } = await import("../runtime/placement.node.js");
  const { readBytes } = await import("../files.node.js");
  const nodes = await placementOf(await readBytes(file), place, file);
  if (json) {
    print(JSON.stringify({ graph: file, ep: place.ep, nodes }));
    return;
  }
  const named = (inBody: boolean) => {
    const onCpu = nodes.filter((node) => node.provider === "cpu" && node.inBody === inBody);
    return onCpu.map(({ operator, name }) => `${operator} (${name})`).join(", ") || "none";
  };
  for (const provider of new Set([place.ep, ...nodes.map((node) => node.provider)])) {
    const its = nodes.filter((node) => node.provider === provider);
    print(`${provider.padEnd(8)} ${its.length} nodes${its.length > 0 ? `: ${operatorCounts(its)}` : ""}`);
  }
  if (place.ep === "cpu") return;
  print(`on the CPU, once in a call: ${named(false)}`);
  print(`on the CPU, in every step of a loop: ${named(true)}`);
}
