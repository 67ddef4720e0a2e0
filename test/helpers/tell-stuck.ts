import { spawnSync } from "node:child_process";
import type { Reporter, TestModule } from "vitest/node";

/** After how many minutes a test file is stuck. The slowest takes five on two cores; more damaged files take longer. */
const MINUTES = process.env.FUZZ ? 120 : 15;

/**
 * A reporter of Vitest that ends the run when a test file does not end. Vitest's own time limits need the thread of the
 * tests: a loop without an end, or a call into native code that does not return, would hold the run forever, and
 * nothing would say where.
 */
export function tellStuck(): Reporter {
  const timers = new Map<string, NodeJS.Timeout>();
  return {
    onTestModuleQueued(file) {
      timers.set(file.moduleId, setTimeout(() => endRun(file), MINUTES * 60_000).unref());
    },
    onTestModuleEnd(file) {
      clearTimeout(timers.get(file.moduleId));
    },
  };
}

function endRun({ relativeModuleId }: TestModule): void {
  process.stderr.write(`\n${descendants().join("\n")}\n`);
  process.stderr.write(`stuck: ${relativeModuleId} has not ended after ${MINUTES} minutes\n`);
  spawnSync("pkill", ["-KILL", "-P", String(process.pid)]);
  process.exit(1);
}

/** The processes that this one started: how long each has been there, and for how long it has computed. */
function descendants(): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "pid,ppid,etime,time,args"], { encoding: "utf8" });
  const ours = new Set([String(process.pid)]);
  return (stdout ?? "").split("\n").flatMap((line) => {
    const [pid, parent] = line.trim().split(/\s+/);
    if (!ours.has(parent)) return [];
    ours.add(pid);
    return [line.slice(0, 160)];
  });
}
