import type { Argv, CommandModule } from "yargs";
import { flagOf } from "../config.js";
import { print, printTable } from "./output.js";

const formats = ["html", "table", "csv", "json"] as const;

export const report: CommandModule = {
  command: "report <runs..>",
  describe: "write one page that shows a run, or compares several",
  builder: (argv: Argv) =>
    argv
      .positional("runs", {
        type: "string",
        array: true,
        demandOption: true,
        describe: "folders of runs or sweeps",
      })
      .option("out", {
        type: "string",
        requiresArg: true,
        describe: "the page to write (default: report.html)",
      })
      .option("format", {
        choices: formats,
        requiresArg: true,
        describe:
          "html writes a page; the others print the table of results: the settings that differ, last losses and scores (default: html)",
      })
      .example("$0 report runs/a runs/b --out compared.html", "two runs side by side")
      .example("$0 report sweeps/mine --format table", "what came out of a sweep"),
  async handler(argv) {
    const { comparisonPage, reportPage } = await import("../runs/report-page.js");
    const { writeAtomically } = await import("../files.node.js");
    const { csvOf, resultsOf, rowsOf, tableRun } = await import("../runs/table.js");
    const { isSweep, sweepRuns } = await import("../sweeps/folder.js");
    const folders = (argv.runs as unknown[]).map(String);
    const found = await Promise.all(
      folders.map(async (folder) => (isSweep(folder) ? sweepRuns(folder) : [await tableRun(folder)])),
    );
    const results = await resultsOf(found.flat());
    const format = (argv.format ?? "html") as (typeof formats)[number];
    if (format === "table") return printTable(rowsOf(results));
    if (format === "csv") return print(csvOf(rowsOf(results)).trimEnd());
    if (format === "json") return print(JSON.stringify(results));
    const out = typeof argv.out === "string" ? argv.out : "report.html";
    const runs = found.flat().flatMap(({ report }) => report ?? []);
    await writeAtomically(
      out,
      results.length === 1 && runs.length === 1
        ? reportPage(runs[0], commandsFor(found.flat()[0].folder, runs[0].settings))
        : comparisonPage(runs, rowsOf(results)),
    );
    print(out);
  },
};

/** A word of a command, quoted if a shell requires it. */
export const named = (word: string) =>
  /^[\w./:=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** The command that repeats a run. It names all settings, because defaults may change. */
export function repeating(settings: Readonly<Record<string, unknown>>): string {
  const flags = Object.entries(settings).flatMap(([key, value]): string[] => {
    if (value === undefined) return [];
    const flag = flagOf(key);
    if (typeof value === "boolean") return [value ? flag : flag.replace("--", "--no-")];
    if (Array.isArray(value)) return value.map((one) => `${flag} ${named(String(one))}`);
    if (typeof value !== "object" || value === null) return [`${flag} ${named(String(value))}`];
    return Object.entries(value).map(([name, file]) => `${flag} ${named(`${name}=${file}`)}`);
  });
  return ["gan-onnx train", ...flags].join(" ");
}

/** Suggested next commands for a run. */
export function commandsFor(folder: string, settings: Readonly<Record<string, unknown>>): string[] {
  return [
    `gan-onnx export generator.onnx --run ${named(folder)}`,
    "gan-onnx sample generator.onnx --count 64 --out samples.png",
    `gan-onnx evaluate generator.onnx --data ${named(String(settings.data))}`,
    `gan-onnx train --resume --out ${named(folder)} --epochs ${2 * Number(settings.epochs)}`,
  ];
}
