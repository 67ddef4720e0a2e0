import type { CommandModule } from "yargs";
import { common } from "./options.js";
import { print } from "./output.js";

export const doctor: CommandModule = {
  command: "doctor",
  describe: "tell which execution providers work here, and what the others lack",
  builder: (argv) => argv.option("json", common.json),
  async handler(argv) {
    const { examine, providerNames } = await import("../training/providers.js");
    const reports = await Promise.all(providerNames.map(examine));
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
