import type { Argv, CommandModule } from "yargs";
import { flagOf } from "../config.js";
import { print } from "./output.js";

export const report: CommandModule = {
  command: "report <runs..>",
  describe: "write one page that shows a run, or compares several",
  builder: (argv: Argv) =>
    argv
      .positional("runs", { type: "string", array: true, demandOption: true, describe: "folders of runs" })
      .option("out", {
        type: "string",
        requiresArg: true,
        describe: "the page to write (default: report.html)",
      })
      .example("$0 report runs/mine", "one run")
      .example("$0 report runs/a runs/b --out compared.html", "two runs side by side"),
  async handler(argv) {
    const { readReport } = await import("../runs/report-data.js");
    const { comparisonPage, reportPage } = await import("../runs/report-page.js");
    const { writeAtomically } = await import("../files.node.js");
    const out = typeof argv.out === "string" ? argv.out : "report.html";
    const runs = await Promise.all((argv.runs as unknown[]).map((run) => readReport(String(run))));
    await writeAtomically(
      out,
      runs.length === 1
        ? reportPage(runs[0], commandsFor(String((argv.runs as unknown[])[0]), runs[0].settings))
        : comparisonPage(runs),
    );
    print(out);
  },
};

/** A word of a command, in quotes where a shell needs them. */
const named = (word: string) => (/^[\w./:=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** What repeats a run of some settings, all of them being told: defaults may change. */
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

/** What to do with a run next, as it is typed. */
export function commandsFor(folder: string, settings: Readonly<Record<string, unknown>>): string[] {
  return [
    `gan-onnx export generator.onnx --run ${named(folder)}`,
    "gan-onnx sample generator.onnx --count 64 --out samples.png",
    `gan-onnx evaluate generator.onnx --data ${named(String(settings.data))}`,
    `gan-onnx train --resume --out ${named(folder)} --epochs ${2 * Number(settings.epochs)}`,
  ];
}
