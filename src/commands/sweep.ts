import type { Argv, CommandModule } from "yargs";
import { resolveConfig } from "../config.js";
import { GanOnnxError } from "../error.js";
import type { Sweep } from "../sweeps/folder.js";
import { interruptible } from "./interrupt.js";
import { common } from "./options.js";
import { bar, endStatus, print, say, showStatus } from "./output.js";
import { resumed, trainCommand } from "./train.js";

export const sweep: CommandModule = {
  command: "sweep <plan>",
  describe: "train many runs from one plan: a grid, a list, or random settings",
  builder: (argv: Argv) =>
    argv
      .positional("plan", {
        type: "string",
        demandOption: true,
        describe: "JSON file with the plan, or the folder of a sweep",
      })
      .option("out", {
        type: "string",
        requiresArg: true,
        describe: "folder of the sweep (default: sweeps/<name of the plan>)",
      })
      .option("task", {
        type: "number",
        requiresArg: true,
        describe: "train or resume this run only, counted from 0 (default: none)",
      })
      .option("task-from", {
        type: "string",
        requiresArg: true,
        describe:
          "the same, with the number from an environment variable, e.g. SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX (default: none)",
      })
      .option("parallel", {
        type: "number",
        requiresArg: true,
        describe:
          "train or resume all runs, this many at a time (default: train nothing, write the settings)",
      })
      .conflicts("task", ["task-from", "parallel"])
      .conflicts("task-from", "parallel")
      .option("json", common.json)
      .example("$0 sweep plan.json --parallel 2", "train all runs on this machine, two at a time")
      .example("$0 sweep plan.json --task-from SLURM_ARRAY_TASK_ID", "train one, in a job of a Slurm array"),
  async handler(argv) {
    const { readSweep, writeSweep } = await import("../sweeps/folder.js");
    const { taskNumber } = await import("../sweeps/tasks.js");
    const out = typeof argv.out === "string" ? argv.out : undefined;
    const plan = await readSweep(String(argv.plan), out);
    const taskFrom = typeof argv.taskFrom === "string" ? argv.taskFrom : undefined;
    const task = taskNumber({ task: argv.task, taskFrom }, plan.runs.length, process.env);
    const parallel = parallelIn(argv.parallel);
    await writeSweep(plan, task);
    const json = Boolean(argv.json);
    if (task !== undefined) return trainTask(plan, task, json);
    if (parallel !== undefined) return trainAll(plan, parallel, json);
    const count = plan.runs.length;
    say(`${count} runs; train one with --task 0 to ${count - 1}, or all on this machine with --parallel 2`);
    print(json ? JSON.stringify({ sweep: plan.folder, runs: count }) : plan.folder);
  },
};

function parallelIn(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const count = Number(value);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new GanOnnxError({
    what: `needs a whole number from 1, not ${String(value)}`,
    where: "--parallel",
    fix: "use the number of runs to train at a time",
    kind: "usage",
  });
}

/** Train or resume one run of a sweep. A complete run is not changed. */
async function trainTask({ folder, runs }: Sweep, task: number, json: boolean): Promise<void> {
  const { sweepFiles } = await import("../sweeps/folder.js");
  const { clearUnsaved, progressOf } = await import("../sweeps/tasks.js");
  stopWithParent();
  const files = sweepFiles(folder);
  const run = files.run(task);
  const progress = await progressOf(run);
  if (progress === "complete") {
    say(`run ${task} is complete`);
    return print(json ? JSON.stringify({ run, complete: true }) : run);
  }
  if (progress === "begun") {
    await trainCommand(await resumed({}, run), { resume: true, json });
    return;
  }
  await clearUnsaved(run);
  const config = resolveConfig({}, { path: files.settings(task), settings: runs[task].settings });
  await trainCommand({ config, folder: run }, { json });
}

/** Stop a process started by `--parallel` as after SIGTERM when its parent exits. */
function stopWithParent(): void {
  if (!process.channel) return;
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
  // The channel alone must not keep the process alive.
  process.channel.unref();
}

/** Train all incomplete runs of a sweep, each in a separate process. */
async function trainAll({ folder, runs }: Sweep, parallel: number, json: boolean): Promise<void> {
  const { sweepFiles } = await import("../sweeps/folder.js");
  const { progressOf } = await import("../sweeps/tasks.js");
  const { runProcesses } = await import("../sweeps/processes.js");
  const files = sweepFiles(folder);
  const left: number[] = [];
  for (const task of runs.keys()) if ((await progressOf(files.run(task))) !== "complete") left.push(task);
  let complete = runs.length - left.length;
  if (complete > 0 && left.length > 0) say(`${complete} of ${runs.length} runs are complete already`);
  const status = () =>
    showStatus(`${bar(complete / runs.length)} ${complete} of ${runs.length} runs complete`);
  status();
  const interrupt = interruptible();
  const failed: number[] = [];
  try {
    await runProcesses(
      left,
      parallel,
      (task) => ["sweep", files.plan, "--out", folder, "--task", String(task)],
      {
        line: (task, text) => say(`run ${task}: ${text}`),
        ended: (task, outcome) => {
          if (outcome === 0) complete++;
          else if (!interrupt.signal.aborted) {
            failed.push(task);
            const how =
              typeof outcome === "number" ? `failed with exit status ${outcome}` : `was ended by ${outcome}`;
            say(`run ${task} ${how}`);
          }
          status();
        },
      },
      { signal: interrupt.signal, kill: interrupt.by },
    );
  } finally {
    endStatus();
    interrupt.end();
  }
  const again = "; use the same command again to resume the others";
  failed.sort((a, b) => a - b);
  say(`${complete} of ${runs.length} runs are complete${complete < runs.length ? again : ""}`);
  if (interrupt.signal.aborted) process.exitCode = interrupt.code();
  else if (failed.length > 0) process.exitCode = 1;
  print(json ? JSON.stringify({ sweep: folder, runs: runs.length, complete, failed }) : folder);
}
