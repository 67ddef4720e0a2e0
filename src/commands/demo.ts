import { join } from "node:path";
import type { Argv, CommandModule } from "yargs";
import { resolveConfig } from "../config.js";
import { writeGraphs } from "./build-graphs.js";
import { exportRun } from "./export.js";
import { settingsIn, settingsOptions } from "./options.js";
import { print, say } from "./output.js";
import { trainCommand } from "./train.js";

/** Enough for digits, in two to four minutes on two cores. */
const EPOCHS = 2;

export const demo: CommandModule = {
  command: "demo",
  describe: "run everything once: build graphs, train, export, draw samples",
  builder: (argv: Argv) =>
    settingsOptions(argv, ["data", "epochs", "seed", "ep", "device"])
      .option("data", {
        describe: "a data source or a folder, as in train (default: drawn, digits drawn by this program)",
      })
      .option("epochs", {
        describe: `passes over the data (default: ${EPOCHS})`,
      })
      .example("$0 demo", "two to four minutes on two cores")
      .example("$0 demo --epochs 1 --seed 1", "a shorter one, with another random seed"),
  async handler(argv) {
    const { sampleSheet } = await import("../export/sample.node.js");
    const { readBytes, writeAtomically } = await import("../files.node.js");
    const shown = { recipe: "vae-gan", data: "drawn", epochs: EPOCHS };
    const config = resolveConfig({ ...shown, ...settingsIn(argv) });
    await writeGraphs(config);
    const run = await trainCommand({ config, folder: undefined }, {});
    if (process.exitCode) return;
    const [model, sheet] = [join(run, "generator.onnx"), join(run, "samples.png")];
    await exportRun(run, model);
    const { ep, device, seed } = config.run;
    const place = { ep, device };
    await writeAtomically(
      sheet,
      await sampleSheet(await readBytes(model), { count: 64, seed, place, where: model }),
    );
    say(`look at ${sheet}`);
    print(sheet);
  },
};
