import { spawnSync } from "node:child_process";
import type { Reporter, TestModule } from "vitest/node";

/** After how many minutes a test file is stuck. The slowest takes five on two cores. */
const MINUTES = 15;

/**
 * A reporter of Vitest that ends the run when a test file does not end. Vitest's own time limits need the thread of the
 * tests: a loop without an end, or a call into native code that does not return, would hold the run forever, and
 * nothing would say where.
 */
export function tellStuck(): Reporter {
  const timers = new Map<TestModule, NodeJS.Timeout>();
  return {
    onTestModuleQueued(file) {
      timers.set(file, setTimeout(() => endRun(file), MINUTES * 60_000).unref());
    },
    onTestModuleEnd(file) {
      clearTimeout(timers.get(file));
    },
  };
}

function endRun({ relativeModuleId }: TestModule): void {
  // What computes, and what is waited for.
  const { stdout } = spawnSync("ps", ["-eo", "pid,ppid,etime,time,args"], { encoding: "utf8" });
  process.stderr.write(`${stdout}\nstuck: ${relativeModuleId} has not ended after ${MINUTES} minutes\n`);
  spawnSync("pkill", ["-KILL", "-P", String(process.pid)]);
  process.exit(1);
}
