/**
 * `npm run memory -- [--recipe vanilla] [--epochs 20] [--data drawn]`: the memory, handles and threads of a training
 * process after each of its epochs, as Linux counts them. Prints a table, and fails when the last epoch has 5% more than
 * the second.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startCli } from "../test/helpers/cli.js";

const { values } = parseArgs({
  options: {
    /** The default has short epochs. */
    recipe: { type: "string", default: "vanilla" },
    epochs: { type: "string", default: "20" },
    /** What to train on, by its name or absolute path. */
    data: { type: "string", default: "drawn" },
  },
});

interface Measured {
  /** In MiB. */
  readonly memory: number;
  readonly handles: number;
  readonly threads: number;
}

/**
 * What a process has now: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html; undefined when it is gone. Pages of
 * mapped files (code) do not count: the kernel drops them and reads them again as other processes need memory.
 */
function measure(pid: number): Measured | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const field = (name: string) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+)`, "m"))?.[1]);
    return {
      memory: (field("RssAnon") + field("RssShmem") + field("VmSwap")) / 1024,
      handles: readdirSync(`/proc/${pid}/fd`).length,
      threads: field("Threads"),
    };
  } catch {
    return undefined;
  }
}

const epochs = Number(values.epochs);
const cwd = await mkdtemp(join(tmpdir(), "gan-onnx-memory-"));
const rows = new Map<number, Measured>();
try {
  const { recipe, data } = values;
  const args = ["train", "--recipe", recipe, "--data", data, "--out", "run", "--epochs", String(epochs)];
  const running = startCli(args, { cwd });
  let over = false;
  running.finished.finally(() => {
    over = true;
  });
  for (let epoch = 1; epoch <= epochs && !over; ) {
    // The most that an epoch has, from the sheet of the one before to its own: what is measured depends on no moment.
    const now = measure(running.pid);
    const most = rows.get(epoch);
    if (now) {
      rows.set(epoch, {
        memory: Math.max(now.memory, most?.memory ?? 0),
        handles: Math.max(now.handles, most?.handles ?? 0),
        threads: Math.max(now.threads, most?.threads ?? 0),
      });
    }
    if (existsSync(join(cwd, "run", "img", `fake_images-${epoch}.png`))) epoch++;
    else await sleep(10);
  }
  const { code, stderr } = await running.finished;
  if (code !== 0) throw new Error(stderr);
} finally {
  await rm(cwd, { recursive: true });
}

console.log("| epoch | memory (MiB) | handles | threads |\n|---:|---:|---:|---:|");
for (const [epoch, { memory, handles, threads }] of rows)
  console.log(`| ${epoch} | ${memory.toFixed(0)} | ${handles} | ${threads} |`);
const [early, late] = [rows.get(2), rows.get(epochs)];
if (!early || !late) throw new Error("the process was faster than the measurement: take larger data");
for (const name of ["memory", "handles", "threads"] as const) {
  const growth = late[name] / early[name] - 1;
  console.log(`${name}: epoch ${epochs} has ${(100 * growth).toFixed(1)}% more than epoch 2`);
  if (growth > 0.05) process.exitCode = 1;
}
