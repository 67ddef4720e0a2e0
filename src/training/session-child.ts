import { type ExecFileException, execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify, stripVTControlCharacters } from "node:util";
import type { InferenceSession } from "onnxruntime-node";
import { messageOf } from "../error.js";

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
 * What fails is reported, not thrown.
 *
 * @param run whether to run it once; its inputs are then float32, and fed with zeros, symbolic dimensions with 1.
 * @param timeout in milliseconds.
 */
export async function sessionInChild(
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
  { run, timeout = 60_000 }: { run: boolean; timeout?: number },
): Promise<ChildResult> {
  const entry = require.resolve("onnxruntime-node");
  const args = [entry, JSON.stringify(options), run ? "run" : "load"];
  const running = start(process.execPath, ["--input-type=commonjs", "-e", script, ...args], {
    timeout,
    killSignal: "SIGKILL",
    maxBuffer: 2 ** 28,
  });
  // A child that dies early closes its end; its exit status says so.
  running.child.stdin?.on("error", () => {}).end(model);
  try {
    const { stderr } = await running;
    return { ok: true, log: stripVTControlCharacters(stderr) };
  } catch (error) {
    const { killed, signal, stderr = "" } = error as Partial<ExecFileException>;
    const log = stripVTControlCharacters(stderr);
    if (killed) return { ok: false, reason: `no answer within ${timeout / 1000} s`, log };
    const reason = reasonIn(log);
    return { ok: false, reason: signal ? `died of ${signal} (${reason})` : reason || messageOf(error), log };
  }
}

const start = promisify(execFile);

/**
 * The line that says why. A library that does not load is named on stderr only: "Failed to load library /long/path
 * with error: libcublas.so.13: cannot open ..."; else it is the exception's message, which is printed last, here less
 * the C++ condition before it.
 */
function reasonIn(log: string): string {
  const text = log.trimEnd();
  const unloaded = /Failed to load library .* with error: (.+)/.exec(text)?.[1];
  return unloaded ?? text.slice(text.lastIndexOf("\n") + 1).replace(/^\/.* was false\. /, "");
}
