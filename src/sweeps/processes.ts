import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** The result of a task: the exit status of its process, or the signal that ended it. */
export type Outcome = number | NodeJS.Signals;

/** Whether processes can have their own process group, which the terminal's Ctrl-C does not reach. */
const GROUPS = process.platform !== "win32";

/**
 * Run tasks as processes of this program, several at a time.
 *
 * @param parallel the maximum number of processes at a time.
 * @param commandOf returns the arguments for a task.
 * @param events receives the output of the processes, line by line, and their results.
 * @param signal requests a stop. Running processes get the reason as a signal and are awaited; no more are started.
 * @returns the results of the processes that were started.
 */
export async function runProcesses(
  tasks: readonly number[],
  parallel: number,
  commandOf: (task: number) => readonly string[],
  events: {
    line(task: number, text: string): void;
    ended(task: number, outcome: Outcome): void;
  },
  { signal, kill }: { readonly signal: AbortSignal; readonly kill: () => NodeJS.Signals },
): Promise<ReadonlyMap<number, Outcome>> {
  const outcomes = new Map<number, Outcome>();
  const running = new Set<ChildProcess>();
  const stop = () => {
    // Without process groups, the console has sent the signal already.
    if (GROUPS) for (const child of running) child.kill(kill());
  };
  signal.addEventListener("abort", stop);
  const left = [...tasks];
  const work = async () => {
    for (let task = left.shift(); task !== undefined && !signal.aborted; task = left.shift()) {
      const at = task;
      const child = spawn(process.execPath, [process.argv[1], ...commandOf(at)], {
        // The channel closes when this process exits.
        stdio: ["ignore", "ignore", "pipe", "ipc"],
        detached: GROUPS,
      });
      running.add(child);
      if (child.stderr) createInterface(child.stderr).on("line", (text) => events.line(at, text));
      const outcome = await new Promise<Outcome>((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (code, by) => resolve(code ?? by ?? 1));
      }).finally(() => running.delete(child));
      outcomes.set(at, outcome);
      events.ended(at, outcome);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(parallel, tasks.length) }, work));
  } finally {
    signal.removeEventListener("abort", stop);
  }
  return outcomes;
}
