import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { loadDataset } from "../../src/data/load.node.js";
import { writeAtomically } from "../../src/files.node.js";
import { idx } from "../../test/helpers/idx.js";
import { lastLine } from "../child.js";
import { cli } from "../processes.js";
import type { Contestant, Options } from "./plan.js";

const scored = z.object({
  distance: z.number(),
  precision: z.number(),
  recall: z.number(),
  classes: z.array(z.number()),
  agreement: z.number().optional(),
});

/** What a training has made, as its file has it. */
const resultSchema = z.object({
  name: z.string(),
  seed: z.number(),
  command: z.string(),
  /** CPU seconds of the training. */
  seconds: z.number(),
  steps: z.number(),
  images: z.number(),
  scores: scored,
  floor: scored,
});
export type Result = z.infer<typeof resultSchema>;

/** The number of images of the two short trainings that tell the cost of an epoch. */
const [FEW, MANY] = [1280, 12_800];
/** Clock ticks of /proc in a second: `getconf CLK_TCK` is 100 on all of Linux's architectures but Alpha. */
const TICKS = 100;

/** Children that still run: they must not outlive this process. */
const running = new Set<ReturnType<typeof spawn>>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

interface Ended {
  readonly stdout: string;
  /** Its CPU time, of all threads. */
  readonly seconds: number;
}

/**
 * Run gan-onnx on one core.
 *
 * @param budget interrupt it after this number of CPU seconds.
 */
async function onCore(core: number, args: readonly string[], budget?: number): Promise<Ended> {
  const child = spawn("taskset", ["-c", String(core), process.execPath, cli, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (more: string) => {
      text[name] += more;
    });
  }
  let seconds = 0;
  let interrupted = false;
  const timer = setInterval(() => {
    seconds = cpuSeconds(child.pid) ?? seconds;
    if (budget === undefined || seconds < budget || interrupted) return;
    interrupted = child.kill("SIGINT");
  }, 50);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  }).finally(() => {
    clearInterval(timer);
    running.delete(child);
  });
  if (code !== 0 && !(interrupted && code === 130)) {
    throw new Error(`gan-onnx ${args.join(" ")}: ${lastLine(text.stderr) ?? `ended with code ${code}`}`);
  }
  return { stdout: text.stdout, seconds };
}

/** User and system time of a process: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, fields 14 and 15. */
function cpuSeconds(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return undefined;
  }
}

const resultFile = ({ out }: Options, { name }: Contestant, seed: number) =>
  join(out, `${name}-${seed}.json`);

/** The result that is there; undefined if there is none yet. */
export async function resultOf(
  options: Options,
  contestant: Contestant,
  seed: number,
): Promise<Result | undefined> {
  const path = resultFile(options, contestant, seed);
  if (!existsSync(path)) return undefined;
  return resultSchema.parse(JSON.parse(await readFile(path, "utf8")));
}

/** CPU seconds until training begins, and of an epoch. */
const costSchema = z.object({ start: z.number(), epoch: z.number() });

const costFile = ({ out }: Options, { name }: Contestant) => join(out, `${name}-cost.json`);

/** The number of epochs that come nearest to the budget, at least 1. It is measured once, by two short trainings. */
async function epochsFor(options: Options, contestant: Contestant, core: number): Promise<number> {
  const { name, args } = contestant;
  const path = costFile(options, contestant);
  const measured = existsSync(path) ? costSchema.parse(JSON.parse(await readFile(path, "utf8"))) : undefined;
  const cost = measured ?? (await costOf());
  if (!measured) await writeFile(path, JSON.stringify(cost));
  return Math.max(1, Math.round((options.seconds - cost.start) / cost.epoch));

  async function costOf() {
    const { images, labels, count, height, width } = await loadDataset(options.data, { seed: 0 });
    const spent: number[] = [];
    const [few, many] = [FEW, MANY].map((size) => Math.min(size, Math.floor((size * count) / MANY)));
    for (const some of [few, many]) {
      const data = join(options.out, `${name}-${some}`);
      await mkdir(data, { recursive: true });
      const pixels = images.subarray(0, some * height * width);
      await writeFile(join(data, "train-images-idx3-ubyte"), idx([some, height, width], pixels));
      if (labels)
        await writeFile(join(data, "train-labels-idx1-ubyte"), idx([some], labels.subarray(0, some)));
      const run = join(data, "run");
      await rm(run, { recursive: true, force: true });
      const all = ["train", ...args, "--data", data, "--epochs", "1", "--threads", "1", "--out", run];
      spent.push((await onCore(core, all)).seconds);
      await rm(data, { recursive: true });
    }
    const perImage = (spent[1] - spent[0]) / (many - few);
    return { start: Math.max(0, spent[0] - few * perImage), epoch: count * perImage };
  }
}

/** A planned training that takes more than this multiple of the budget is repeated, with fewer epochs by its own cost. */
const TOO_LONG = 1.4;

/** Train for the budget. Returns the CPU seconds that it took, and the command that does the same. */
async function trained(
  options: Options,
  contestant: Contestant,
  { seed, core, run }: { readonly seed: number; readonly core: number; readonly run: string },
): Promise<{ seconds: number; command: string }> {
  const { args, planned = false, epochs: fixed } = contestant;
  await rm(run, { recursive: true, force: true });
  const training = ["train", ...args, "--data", options.data, "--seed", String(seed)];
  const epochs = fixed ?? (planned ? await epochsFor(options, contestant, core) : undefined);
  const lasting = epochs === undefined ? training : [...training, "--epochs", String(epochs)];
  const { seconds } = await onCore(
    core,
    [...training, "--epochs", String(epochs ?? 10_000), "--threads", "1", "--out", run],
    epochs === undefined ? options.seconds : undefined,
  );
  if (planned && epochs !== undefined && epochs > 1 && seconds > TOO_LONG * options.seconds) {
    const { start } = costSchema.parse(JSON.parse(await readFile(costFile(options, contestant), "utf8")));
    const cost = { start, epoch: (seconds - start) / epochs };
    await writeFile(costFile(options, contestant), JSON.stringify(cost));
    return trained(options, contestant, { seed, core, run });
  }
  return { seconds, command: lasting.join(" ") };
}

/** Train, export and score, and write the result. */
export async function measure(
  options: Options,
  contestant: Contestant,
  { seed, core }: { readonly seed: number; readonly core: number },
): Promise<Result> {
  const { name } = contestant;
  const { data, samples, out } = options;
  const run = join(out, `${name}-${seed}`);
  const { seconds, command } = await trained(options, contestant, { seed, core, run });
  const model = `${run}.onnx`;
  await onCore(core, ["export", model, "--run", run]);
  const scoring = ["evaluate", model, "--data", data, "--samples", String(samples), "--threads", "1"];
  const { stdout } = await onCore(core, [...scoring, "--json"]);
  const { floor, models } = z.object({ floor: scored, models: z.array(scored) }).parse(JSON.parse(stdout));
  const { steps, images } = await progressOf(run);
  const result: Result = {
    ...{ name, seed, seconds, steps, images, floor, scores: models[0] },
    command: command.replace(data, data.includes("/") ? "DATA" : data),
  };
  await mkdir(dirname(run), { recursive: true });
  await writeAtomically(
    resultFile(options, contestant, seed),
    new TextEncoder().encode(`${JSON.stringify(result)}\n`),
  );
  return result;
}

/** The number of steps of a run, and the images in them. */
async function progressOf(run: string): Promise<{ steps: number; images: number }> {
  const lines = (await readFile(join(run, "metrics.jsonl"), "utf8")).split("\n");
  const { batchSize } = z
    .object({ batchSize: z.number() })
    .parse(JSON.parse(await readFile(join(run, "config.json"), "utf8")));
  const steps = lines.filter((line) => line !== "").length;
  return { steps, images: steps * batchSize };
}
