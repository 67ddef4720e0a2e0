import type { Argv, CommandModule } from "yargs";
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
    const { producer } = await import("../version.js");
    const out = typeof argv.out === "string" ? argv.out : "report.html";
    const runs = await Promise.all((argv.runs as unknown[]).map((run) => readReport(String(run))));
    const facts = { version: `${producer.name} ${producer.version}` };
    await writeAtomically(
      out,
      runs.length === 1
        ? reportPage(runs[0], facts, commandsFor(String((argv.runs as unknown[])[0]), runs[0].settings))
        : comparisonPage(runs),
    );
    print(out);
  },
};

/** What to do with a run next, as it is typed. */
export function commandsFor(folder: string, settings: Readonly<Record<string, unknown>>): string[] {
  const named = (path: string) => (/^[\w./:-]+$/.test(path) ? path : JSON.stringify(path));
  return [
    `gan-onnx export generator.onnx --run ${named(folder)}`,
    "gan-onnx sample generator.onnx --count 64 --out samples.png",
    `gan-onnx evaluate generator.onnx --data ${named(String(settings.data))}`,
    `gan-onnx train --resume --out ${named(folder)} --epochs ${2 * Number(settings.epochs)}`,
  ];
}
