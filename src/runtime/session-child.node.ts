import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { InferenceSession } from "onnxruntime-node";
import { nativeMessage } from "./native-messages.js";

/** What became of a session in a process of its own. */
export interface ChildResult {
  readonly ok: boolean;
  /** Why not, in the words of the native library where it had any. */
  readonly reason?: string;
  /** What the native libraries wrote to stderr. */
  readonly log: string;
}

const require = createRequire(import.meta.url);

/** A session of the model that comes on stdin and, if told so, one run on zeros. Its stderr is the reason. */
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
 * Load a model in a child process, so that a crash, a hang or the native libraries' messages do not reach the caller.
 * What the model or the provider does wrong is reported, not thrown.
 *
 * @param run whether to run it once; its inputs are then float32, and fed with zeros, symbolic dimensions with 1.
 * @param timeout in milliseconds.
 */
export async function sessionInChild(
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
  { run, timeout = 60_000 }: { run: boolean; timeout?: number },
): Promise<ChildResult> {
  const folder = await mkdtemp(join(tmpdir(), "gan-onnx-session-"));
  try {
    // A file and no pipe: what is written to a full one is lost.
    const stderr = await open(join(folder, "stderr"), "w+");
    const entry = require.resolve("onnxruntime-node");
    const args = [entry, JSON.stringify(options), run ? "run" : "load"];
    const child = spawn(process.execPath, ["--input-type=commonjs", "-e", script, ...args], {
      stdio: ["pipe", "ignore", stderr.fd],
      // A group of its own: Ctrl-C in a terminal is for the caller to answer.
      detached: true,
      timeout,
      killSignal: "SIGKILL",
    });
    // A child that dies early closes its end; its exit status says so.
    child.stdin?.on("error", () => {}).end(model);
    const [code, signal] = await once(child, "close").finally(() => stderr.close());
    const log = stripVTControlCharacters(await readFile(join(folder, "stderr"), "utf8"));
    if (code === 0) return { ok: true, log };
    if (child.killed) return { ok: false, reason: `no answer within ${timeout / 1000} s`, log };
    const said = reasonIn(log);
    return { ok: false, reason: signal ? `died of ${signal} (${said})` : said || `exit status ${code}`, log };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The line that says why. A library that does not load is named on stderr only: "Failed to load library /long/path
 * with error: libcublas.so.13: cannot open ..."; else it is the exception's message, which is printed last.
 */
function reasonIn(log: string): string {
  const text = log.trimEnd();
  const unloaded = /Failed to load library .* with error: (.+)/.exec(text)?.[1];
  return unloaded ?? nativeMessage(text.slice(text.lastIndexOf("\n") + 1));
}
