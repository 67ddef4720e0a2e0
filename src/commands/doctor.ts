import type { CommandModule } from "yargs";
import { common } from "./options.js";
import { print } from "./output.js";

export const doctor: CommandModule = {
  command: "doctor",
  describe: "tell which execution providers work here, and what the others lack",
  builder: (argv) => argv.option("json", common.json),
  async handler(argv) {
    const { examine } = await import("../training/providers.js");
    const { add, build, encodeModel, input } = await import("../graph/index.js");
    const { producer } = await import("../version.js");

    const x = input("x", "float32", [2]);
    const about = { name: "probe", doc: "Adds 1: whatever a provider can do, it can do this.", producer };
    const reports = await examine(encodeModel(build(about, { inputs: [x], outputs: { y: add(x, 1) } })));
    if (argv.json) {
      print(JSON.stringify(reports));
      return;
    }
    for (const { name, available, findings, reason, fix } of reports) {
      print(`${name.padEnd(8)} ${available ? "available" : "not available"}`);
      for (const { subject, ok, detail } of findings) print(`  ${ok ? "ok" : "--"} ${subject}: ${detail}`);
      if (reason) print(`  why: ${reason}`);
      if (fix) print(`  fix: ${fix}`);
    }
  },
};
