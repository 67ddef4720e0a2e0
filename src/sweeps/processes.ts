import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** What became of a task: the exit status of its process, or the signal that ended it. */
export type Outcome = number | NodeJS.Signals;

/** Whether processes may be in a group of their own, which the terminal's Ctrl-C does not reach. */
const GROUPS = process.platform !== "win32";

/**
 * Run tasks as processes of this program, some at a time.
 *
 * @param parallel how many at a time.
 * @param commandOf the arguments for a task.
 * @param events what the processes say, line by line, and what becomes of them.
 * @param signal asks for an end: the running ones are told, waited for, and no more are started. The reason is the
 * signal that they are sent.
 * @returns what became of those that were started.
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
    // Where there are no groups, the console has told them already.
    if (GROUPS) for (const child of running) child.kill(kill());
  };
  signal.addEventListener("abort", stop);
  const left = [...tasks];
  const work = async () => {
    for (let task = left.shift(); task !== undefined && !signal.aborted; task = left.shift()) {
      const at = task;
      const child = spawn(process.execPath, [process.argv[1], ...commandOf(at)], {
        // The channel tells the process when this one is gone.
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
