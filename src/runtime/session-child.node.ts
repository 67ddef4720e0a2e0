import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { InferenceSession } from "onnxruntime-node";
import { nativeMessage } from "./native-messages.js";

/** The result of a session in a separate process. */
export interface ChildResult {
  readonly ok: boolean;
  /** Why it failed, if possible in the words of the native library. */
  readonly reason?: string;
  /** The stderr output of the native libraries. */
  readonly log: string;
}

const require = createRequire(import.meta.url);

/** Create a session of the model from stdin and, if requested, run it once on zeros. Errors go to stderr. */
const script = `
(async () => {
  const [entry, options, runs] = process.argv.slice(1);
  const { InferenceSession, Tensor } = require(entry);
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const session = await InferenceSession.create(Buffer.concat(chunks), JSON.parse(options));
  if (runs !== "run") return;
  const feeds = {};
  for (const { name, shape } of session.inputMetadata) {
    const sizes = shape.map((size) => (typeof size === "number" ? size : 1));
    feeds[name] = new Tensor("float32", new Float32Array(sizes.reduce((a, b) => a * b, 1)), sizes);
  }
  await session.run(feeds);
})().then(() => process.exit(0), (error) => { console.error(error.message.split("\\n")[0]); process.exit(1); });
`;

/**
 * Load a model in a child process, so that a crash, a hang or messages of native libraries do not affect the caller.
 * Errors of the model or the provider are reported, not thrown.
 *
 * @param run whether to run it once. Its inputs must then be float32; they are zeros, with symbolic dimensions of 1.
 * @param timeout in milliseconds.
 */
export async function sessionInChild(
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
  { run, timeout = 60_000 }: { run: boolean; timeout?: number },
): Promise<ChildResult> {
  const folder = await mkdtemp(join(tmpdir(), "gan-onnx-session-"));
  try {
    // Use a file instead of a pipe: output to a full pipe is lost.
    const stderr = await open(join(folder, "stderr"), "w+");
    const entry = require.resolve("onnxruntime-node");
    const args = [entry, JSON.stringify(options), run ? "run" : "load"];
    const child = spawn(process.execPath, ["--input-type=commonjs", "-e", script, ...args], {
      stdio: ["pipe", "ignore", stderr.fd],
      // Use a separate process group: the caller handles Ctrl-C.
      detached: true,
      timeout,
      killSignal: "SIGKILL",
    });
    // If the child exits early, writing fails. Its exit status reports the reason.
    child.stdin?.on("error", () => {}).end(model);
    const [code, signal] = await once(child, "close").finally(() => stderr.close());
    const log = stripVTControlCharacters(await readFile(join(folder, "stderr"), "utf8"));
    if (code === 0) return { ok: true, log };
    if (child.killed) return { ok: false, reason: `no answer within ${timeout / 1000} s`, log };
    const reason = reasonIn(log);
    return {
      ok: false,
      reason: signal ? `died of ${signal} (${reason})` : reason || `exit status ${code}`,
      log,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The line with the reason. If a library does not load, only stderr has it: "Failed to load library /long/path with
 * error: libcublas.so.13: cannot open ...". Otherwise it is the exception's message, which is the last line.
 */
function reasonIn(log: string): string {
  const text = log.trimEnd();
  const unloaded = /Failed to load library .* with error: (.+)/.exec(text)?.[1];
  return unloaded ?? nativeMessage(text.slice(text.lastIndexOf("\n") + 1));
}
