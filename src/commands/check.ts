import type { Argv, CommandModule } from "yargs";
import { common } from "./options.js";
import { print } from "./output.js";

export const check: CommandModule = {
  command: "check <path>",
  describe: "check the files of a run, or one file, for damage",
  builder: (argv: Argv) =>
    argv
      .positional("path", {
        type: "string",
        demandOption: true,
        describe:
          "a run, a folder of artifacts, or a file: .safetensors, .onnx, metrics.jsonl, manifest.json",
      })
      .option("json", common.json)
      .example("$0 check runs/mine", "all files of a run")
      .example("$0 check generator.onnx", "one file"),
  async handler(argv) {
    const { checkPath } = await import("../runs/check.js");
    const results = await checkPath(String(argv.path));
    const damaged = results.filter(({ fault }) => fault !== undefined);
    if (argv.json) print(JSON.stringify({ damaged: damaged.length, files: results }));
    else
      for (const { file, fault, how } of results)
        print(fault ? `DAMAGED ${fault}` : `ok      ${file} (${how})`);
    if (damaged.length > 0) process.exitCode = 1;
  },
};
