import type { Argv, CommandModule } from "yargs";
import { imageOf } from "../config.js";
import { common, configOf, recipeSettings, settingsOptions } from "./options.js";
import { print, say } from "./output.js";

export const verify: CommandModule = {
  command: "verify <file>",
  describe: "replay a recorded trajectory and report the largest differences",
  builder: (argv: Argv) =>
    settingsOptions(argv, [
      "recipe",
      "size",
      "channels",
      "network",
      "fresh",
      "freeze",
      "ep",
      "device",
      ...recipeSettings(),
    ])
      .positional("file", { type: "string", demandOption: true, describe: "the record, a safetensors file" })
      .option("config", common.config)
      .option("json", common.json)
      .example("$0 verify record.safetensors --recipe vanilla", "replay it on the CPU")
      .example("$0 verify record.safetensors --recipe vanilla --ep cuda", "replay it on a GPU"),
  async handler(argv) {
    const file = String(argv.file);
    const config = await configOf(argv);
    const { run, flat } = config;
    const { decodeSafetensors } = await import("../tensors/safetensors.js");
    const { designFrom } = await import("../runs/design.js");
    const { buildArtifacts } = await import("../training/artifacts.node.js");
    const { placeOf } = await import("../runs/run.js");
    const { followTrajectory, tolerances } = await import("../evaluation/trajectory.node.js");
    const { readBytes } = await import("../files.node.js");

    const record = decodeSafetensors(await readBytes(file), file);
    const { design, notes } = await designFrom(config, imageOf(run));
    for (const note of notes) say(note);
    const { graph, train } = buildArtifacts(design, flat);
    const place = placeOf(run);
    const compared = await followTrajectory(record, { design, graph, model: train, place, where: file });

    if (argv.json) {
      print(JSON.stringify({ file, recipe: run.recipe, ep: run.ep, ...compared, tolerances }));
    } else {
      const row = (name: string, difference: number, limit: number) =>
        print(
          `${name.padEnd(24)} ${difference.toExponential(1).padStart(8)}  of ${limit.toExponential(0)}  ` +
            `${difference <= limit ? "ok" : "TOO FAR"}`,
        );
      for (const [name, difference] of Object.entries(compared.metrics)) {
        row(name, difference, tolerances.metrics);
      }
      row("99.9% of the parameters", compared.parameters.most, tolerances.mostParameters);
      row("all parameters", compared.parameters.all, tolerances.allParameters);
    }
    say(
      `${file}: ${compared.steps} steps of ${run.recipe} on ${run.ep}, ${compared.within ? "as recorded" : "NOT as recorded"}`,
    );
    if (!compared.within) process.exitCode = 1;
  },
};
