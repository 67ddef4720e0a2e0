import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GanOnnxError, messageOf, setting, type Text } from "../error.js";
import { writeAtomically } from "../files.node.js";
import type { DataOptions } from "./dataset.js";
import type { IdxFile } from "./idx.js";

/** A file on several mirrors, with its MD5 and, if known, its length. */
export interface RemoteFile {
  readonly name: string;
  readonly bytes?: number;
  /** The maximum size of a download when the length is not known. */
  readonly mostBytes?: number;
  readonly md5: string;
}

/** Where files are stored and downloaded from, and what the user can do if all mirrors fail. */
export interface DownloadOptions extends Pick<DataOptions, "report" | "signal"> {
  readonly folder: string;
  /** Base URLs, tried in this order. */
  readonly mirrors: readonly string[];
  /** After how many milliseconds without data the next mirror is tried. */
  readonly stallMs?: number;
  /** The name of the data set, for messages. */
  readonly name: string;
  readonly fix: Text;
}

/** The maximum length of a file whose length is not known, in bytes, unless the file has its own. */
const MOST_BYTES = 64e6;

/**
 * Return the stored copy of a file if it is complete. Otherwise download it from the first mirror that sends a complete
 * copy, and store it.
 *
 * @throws {@link GanOnnxError} when all mirrors fail, with the reason for each.
 */
export async function obtain(file: RemoteFile, options: DownloadOptions): Promise<IdxFile> {
  const { folder } = options;
  const path = join(folder, file.name);
  const complaints: string[] = [];
  const kept = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") complaints.push(`${path}: ${messageOf(cause)}`);
  });
  if (kept) {
    const wrong = defectOf(kept, file);
    if (!wrong) return { path, content: kept };
    complaints.push(`${path}: ${wrong}`);
  }
  return downloaded(file, options, complaints, async (content) => {
    await writeAtomically(path, content);
    return { path, content };
  });
}

/**
 * Return the result of `use` for the first complete copy of a file from a mirror.
 *
 * @param complaints what is wrong with the copies so far, for the message.
 * @throws {@link GanOnnxError} as {@link obtain}, or from `use`.
 */
export async function downloaded<Made>(
  file: RemoteFile,
  options: DownloadOptions,
  complaints: string[],
  use: (content: Uint8Array<ArrayBuffer>) => Promise<Made>,
): Promise<Made> {
  const { mirrors, signal, name, fix } = options;
  for (const mirror of mirrors) {
    const url = new URL(file.name, mirror).href;
    try {
      return await use(await download(url, file, options));
    } catch (thrown) {
      signal?.throwIfAborted();
      if (thrown instanceof GanOnnxError) throw thrown; // the folder cannot be written: other mirrors do not help
      complaints.push(`${url}: ${reasonOf(thrown)}`);
    }
  }
  const what = `${file.name} could not be downloaded (${complaints.join("; ")})`;
  throw new GanOnnxError({ what, where: setting("data", name), fix });
}

/** Download a URL and check its content. Throws a plain Error with what is wrong. */
async function download(
  url: string,
  file: RemoteFile,
  options: DownloadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { report, signal, stallMs = 30_000 } = options;
  const stalled = new AbortController();
  const timer = setTimeout(
    () => stalled.abort(new Error(`nothing arrived for ${stallMs / 1000} s`)),
    stallMs,
  );
  try {
    const signals = signal ? [signal, stalled.signal] : [stalled.signal];
    const response = await fetchByProxy(url, AbortSignal.any(signals));
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status} ${response.statusText}`);
    const length = file.bytes ?? (Number(response.headers.get("content-length")) || undefined);
    const content = await collect(response.body, file.bytes ?? file.mostBytes ?? MOST_BYTES, (done) => {
      timer.refresh();
      report?.(`downloading ${file.name}`, done, length);
    });
    const wrong = defectOf(content, file);
    if (wrong) throw new Error(wrong);
    return content;
  } finally {
    clearTimeout(timer);
    stalled.abort(); // cancels a body that was not read completely
  }
}

/** The environment variables that name a proxy. Node 20's `fetch` ignores them. */
const proxyVariables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] as const;

/** `fetch` through the proxy in the environment, if there is one (`NO_PROXY` excludes hosts). */
async function fetchByProxy(url: string, signal: AbortSignal) {
  const variable = proxyVariables.find((name) => process.env[name]);
  if (!variable) return fetch(url, { signal });
  const { EnvHttpProxyAgent, fetch: fetchThrough } = await import("undici");
  try {
    return await fetchThrough(url, { signal, dispatcher: new EnvHttpProxyAgent() });
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`through the proxy of ${variable}: ${reasonOf(cause)}`);
  }
}

async function collect(body: AsyncIterable<Uint8Array>, limit: number, progress: (done: number) => void) {
  const content = new Uint8Array(limit);
  let done = 0;
  for await (const chunk of body) {
    if (done + chunk.length > limit) throw new Error(`is longer than ${limit} bytes`);
    content.set(chunk, done);
    done += chunk.length;
    progress(done);
  }
  return content.subarray(0, done);
}

function defectOf(content: Uint8Array, { bytes, md5 }: RemoteFile): string | undefined {
  if (bytes !== undefined && content.length !== bytes) return `is ${content.length} bytes, expected ${bytes}`;
  const actual = createHash("md5").update(content).digest("hex");
  return actual === md5 ? undefined : `its MD5 is ${actual}, expected ${md5}`;
}

/** `fetch` throws only "fetch failed"; its cause has the reason. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause as NodeJS.ErrnoException | undefined) : undefined;
  const detail = cause?.message || cause?.code;
  return detail ? `${messageOf(thrown)}: ${detail}` : messageOf(thrown);
}
