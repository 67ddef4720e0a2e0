import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A process that answers every line with one line of JSON. */
export interface LineChild {
  readonly pid: number | undefined;
  /** Its first line. */
  readonly hello: unknown;
  ask(line: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Start a process and wait for its first line. Throws the end of its output if it exits instead. */
export async function startChild(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<LineChild> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-10_000);
  });
  child.stdin.on("error", () => {}); // The exit of the process gives a better error.
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) => resolve(lastLine(words) ?? `${command} ended with code ${code}`));
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(await ended);
    return JSON.parse(value);
  };
  return {
    pid: child.pid,
    hello: await answer(),
    ask(line) {
      child.stdin.write(`${line}\n`);
      return answer();
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

/** The line of a traceback with the error: the last one that names an error, or otherwise the last one. */
export function lastLine(text: string): string | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.findLast((line) => /^[\w.]*([Ee]rror|Exception)\b/.test(line)) ?? lines.at(-1);
}
