import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

/** What `npm run build` made of `src/bin.cts`: the program as users run it. */
export const cli = fileURLToPath(new URL("../../dist/bin.cjs", import.meta.url));

export interface Place {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Finished {
  /** The exit status, or the signal that ended the process. */
  readonly code: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `gan-onnx`. */
export interface Running {
  readonly pid: number;
  readonly finished: Promise<Finished>;
  kill(signal: NodeJS.Signals): void;
  /** Close its stdout and stderr, as the reader of a pipe does when it exits. */
  leave(): void;
  /** Resolves when stderr contains a text; rejects when the process ends without it. */
  says(text: string): Promise<void>;
}

/** What is trained unless a test says: not the default, which takes longer. */
function quick([command, ...given]: readonly string[]): readonly string[] {
  const says = given.some((flag) =>
    /^--(recipe|config|resume|network|init|runtime|help|version)\b/.test(flag),
  );
  return command === "train" && !says ? ["--recipe", "vanilla"] : [];
}

/** Start `gan-onnx` as a process. */
export function startCli(args: readonly string[], { cwd, env }: Place): Running {
  const child = spawn(process.execPath, [cli, ...args, ...quick(args)], {
    cwd,
    // npx says in `npm_command` that it runs a command: here it ran the tests.
    env: { ...process.env, npm_command: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? signal, stdout, stderr }));
  });
  return {
    pid: child.pid ?? 0,
    finished,
    kill: (signal) => child.kill(signal),
    leave: () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => stderr.includes(text) && resolve();
        child.stderr.on("data", look);
        finished.then(() => {
          look();
          reject(new Error(`ended without saying ${JSON.stringify(text)}:\n${stderr}`));
        }, reject);
        look();
      }),
  };
}

/** Run `gan-onnx` to its end. */
export function runCli(args: readonly string[], place: Place): Promise<Finished> {
  return startCli(args, place).finished;
}

/** Run `gan-onnx` and require success. Returns its output. */
export async function succeed(args: readonly string[], place: Place): Promise<Finished> {
  const result = await runCli(args, place);
  expect(result.code, result.stderr).toBe(0);
  return result;
}

/** All files in a folder, by relative path, sorted. */
export function tree(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
}
