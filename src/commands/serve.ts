import { basename } from "node:path";
import type { Argv, CommandModule } from "yargs";
import { z } from "zod";
import { parseArguments } from "../config.js";
import { print, say } from "./output.js";

const schema = z.object({
  port: z.int().min(0).max(65_535).default(8000),
  model: z.string().optional(),
  run: z.array(z.string().min(1)).optional(),
  runs: z.string().min(1).optional(),
});

export const serve: CommandModule = {
  command: "serve",
  describe: "serve the page that draws digits in a browser, to this machine only, until Ctrl-C",
  builder: (argv: Argv) =>
    argv
      .option("port", {
        type: "number",
        requiresArg: true,
        describe: "port; 0 for any free one (default: 8000)",
      })
      .option("model", {
        type: "string",
        requiresArg: true,
        describe: "a model written by export, which the page opens first (default: a shipped one)",
      })
      .option("run", {
        type: "string",
        array: true,
        nargs: 1,
        requiresArg: true,
        describe: "folder of a run to show, also while it trains; several are compared (default: none)",
      })
      .option("runs", {
        type: "string",
        requiresArg: true,
        describe: "folder of runs to compare, also those that begin later (default: none)",
      })
      .conflicts("run", "runs")
      .example("$0 serve --model generator.onnx", "draw with your own generator")
      .example("$0 serve --runs runs", "watch and compare the runs in a folder"),
  async handler(argv) {
    const { port, model, run = [], runs } = parseArguments(schema, argv);
    const { servePage } = await import("../serving/page-server.js");
    const { requireRun } = await import("../serving/run-view.js");
    const { requireRuns } = await import("../serving/runs-view.js");
    for (const folder of run) {
      if (!(await requireRun(folder))) say(`${folder} is not there yet; waiting for it`);
    }
    if (runs !== undefined) await requireRuns(runs);
    const several = runs === undefined ? { folders: run } : { within: runs };
    const server = await servePage(port, {
      model: model === undefined ? undefined : await offer(model),
      ...(runs === undefined && run.length <= 1 ? { run: run[0] } : { runs: several }),
    });
    print(server.url);
    say("press Ctrl-C to stop");
    // A server runs until it is stopped: exit 0.
    await new Promise<void>((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
    });
    await server.close();
  },
};

/** Read a generator file. It is checked here instead of in the browser. */
async function offer(model: string) {
  const { readBytes } = await import("../files.node.js");
  const { readGenerator } = await import("../export/description.js");
  const bytes = await readBytes(model);
  readGenerator(bytes, model);
  return { name: basename(model), bytes };
}
