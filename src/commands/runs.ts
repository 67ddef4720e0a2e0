import type { Argv, CommandModule } from "yargs";
import { common } from "./options.js";
import { duration, print, printTable, say } from "./output.js";

export const runs: CommandModule = {
  command: "runs [folder]",
  describe: "list runs as a table: recipe, data, epochs, state, time, speed, last scores",
  builder: (argv: Argv) =>
    argv
      .positional("folder", { type: "string", describe: "where the runs are (default: runs)" })
      .option("json", common.json)
      .example("$0 runs", "the runs in runs/")
      .example("$0 runs elsewhere --json", "the runs in another folder, for a program"),
  async handler(argv) {
    const { listRuns } = await import("../runs/list.js");
    const { RUNS } = await import("../runs/run-folder.js");
    const folder = typeof argv.folder === "string" ? argv.folder : RUNS;
    const found = await listRuns(folder);
    if (argv.json) return print(JSON.stringify(found));
    if (found.length === 0) return say(`${folder}: there are no runs`);
    const scores = (row: (typeof found)[number]) =>
      Object.entries(row.scores)
        .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
        .join(", ");
    const rows = [
      ["run", "recipe", "data", "epochs", "state", "time", "steps/s", "gan-onnx", "last scores"],
      ...found.map((row) => [
        row.run,
        row.recipe,
        row.data,
        `${row.epoch}/${row.epochs}`,
        row.state,
        row.seconds === undefined ? "" : duration(row.seconds),
        row.stepsPerSecond === undefined ? "" : row.stepsPerSecond.toFixed(1),
        row.provenance?.sessions.at(-1)?.versions["gan-onnx"] ?? "",
        scores(row),
      ]),
    ];
    printTable(rows);
  },
};
