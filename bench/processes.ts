import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { lastLine, startChild } from "./child.js";
import type { Entrant } from "./contestant.js";
import type { Options } from "./options.js";
import { pythonArguments, requirePython } from "./pytorch.js";

/** `dist/cli.js`, the program as users run it. */
export const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

const execute = promisify(execFile);

/** An entrant that starts and ends in every round. */
function entrant(name: string, round: () => Promise<number>, available?: () => unknown): Entrant {
  return {
    name,
    async open() {
      available?.();
      return { name, round: async () => ({ cost: await round() }), close: async () => {} };
    },
  };
}

/** The duration of a whole process. */
export function processOf(
  name: string,
  command: string,
  args: readonly string[],
  available?: () => unknown,
): Entrant {
  return entrant(
    name,
    async () => {
      const start = performance.now();
      await execute(command, args).catch((error) => {
        throw new Error(lastLine(String(error.stderr ?? "")) ?? error.message);
      });
      return performance.now() - start;
    },
    available,
  );
}

/** A Python process that works on a case. */
export function pythonProcess(casePath: string, args: readonly string[], options: Options): Entrant {
  const all = [...pythonArguments("process", casePath, options), ...args];
  return processOf("PyTorch", options.python ?? "", all, () => requirePython(options));
}

/** Flags of `gan-onnx train`, by name. */
export type Flags = Readonly<Record<string, string | number>>;

/** What to measure of a training process. */
export type Measure = "first step" | "peak memory";

/** `gan-onnx train`, from its start to the first line of metrics, or its peak memory after some steps. */
export function ourTraining(
  measure: Measure,
  { data, folder, steps, flags }: { data: string; folder: string; steps: number; flags: Flags },
  { ep }: Options,
): Entrant {
  const one = measure === "first step" ? ["--steps-per-call", "1"] : [];
  return entrant("gan-onnx", async () => {
    await rm(folder, { recursive: true, force: true });
    const start = performance.now();
    const given = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const args = [cli, "train", ...given, "--data", data, "--ep", ep, "--out", folder, ...one];
    const child = spawn(process.execPath, args, { stdio: "ignore" });
    const ended = once(child, "close");
    try {
      const metrics = join(folder, "metrics.jsonl");
      await until(() => linesIn(metrics) >= (measure === "first step" ? 1 : steps), child);
      return measure === "first step" ? performance.now() - start : peakMemory(child.pid);
    } finally {
      child.kill("SIGKILL");
      await ended;
    }
  });
}

/** The same with PyTorch's script. */
export function pytorchTraining(
  measure: Measure,
  casePath: string,
  { data, steps }: { data: string; steps: number },
  options: Options,
): Entrant {
  return entrant(
    "PyTorch eager",
    async () => {
      const start = performance.now();
      const count = measure === "first step" ? 1 : steps;
      const args = [...pythonArguments("process", casePath, options), "train", data, String(count)];
      const child = await startChild(requirePython(options), args);
      const first = performance.now() - start;
      try {
        await child.ask("");
        return measure === "first step" ? first : peakMemory(child.pid);
      } finally {
        await child.close();
      }
    },
    () => requirePython(options),
  );
}

function linesIn(path: string): number {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;
}

async function until(done: () => boolean, child: { readonly exitCode: number | null }): Promise<void> {
  while (!done()) {
    if (child.exitCode !== null) throw new Error(`the training ended with code ${child.exitCode}`);
    await sleep(2);
  }
}

/** The peak memory of a process, in MB. */
function peakMemory(pid: number | undefined): number {
  if (process.platform !== "linux") throw new Error("only Linux tells the peak memory of a process");
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kib) * 1024) / 1e6;
}
