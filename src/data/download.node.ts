import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GanOnnxError, messageOf, setting, type Text } from "../error.js";
import { writeAtomically } from "../files.node.js";
import type { DataOptions } from "./dataset.js";
import type { IdxFile } from "./idx.js";

/** A file to be had from any of several mirrors, known by its MD5 and, where that is known, its length. */
export interface RemoteFile {
  readonly name: string;
  readonly bytes?: number;
  readonly md5: string;
}

/** What to do where a file can be had from nowhere, and where files are kept and asked for. */
export interface DownloadOptions extends Pick<DataOptions, "report" | "signal"> {
  readonly folder: string;
  /** Folders of the web, tried in this order. */
  readonly mirrors: readonly string[];
  /** How long a mirror may send nothing before the next one is tried, in milliseconds. */
  readonly stallMs?: number;
  /** The data set, in messages. */
  readonly name: string;
  readonly fix: Text;
}

/** A file whose length is not known may have this many bytes at most. */
const MOST_BYTES = 64e6;

/**
 * The kept copy of a file if it is whole, otherwise the first whole one that a mirror sends, which is then kept.
 *
 * @throws {GanOnnxError} telling what each mirror said when there is none.
 */
export async function obtain(file: RemoteFile, options: DownloadOptions): Promise<IdxFile> {
  const { folder, mirrors, signal, name, fix } = options;
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
  for (const mirror of mirrors) {
    const url = new URL(file.name, mirror).href;
    try {
      const content = await download(url, file, options);
      await writeAtomically(path, content);
      return { path, content };
    } catch (thrown) {
      signal?.throwIfAborted();
      if (thrown instanceof GanOnnxError) throw thrown; // the folder cannot be written: no mirror can help
      complaints.push(`${url}: ${reasonOf(thrown)}`);
    }
  }
  const what = `${file.name} could not be downloaded (${complaints.join("; ")})`;
  throw new GanOnnxError({ what, where: setting("data", name), fix });
}

/** The whole content of a URL, checked against what is known of the file. Throws a plain Error saying what was wrong. */
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
    const content = await collect(response.body, file.bytes ?? MOST_BYTES, (done) => {
      timer.refresh();
      report?.(`downloading ${file.name}`, done, length);
    });
    const wrong = defectOf(content, file);
    if (wrong) throw new Error(wrong);
    return content;
  } finally {
    clearTimeout(timer);
    stalled.abort(); // lets go of a body that was not read to its end
  }
}

/** The environment variables that name a proxy, of which Node 20's own `fetch` takes no notice. */
const proxyVariables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] as const;

/** `fetch`, through the proxy that the environment names if it does (`NO_PROXY` excepts hosts). */
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
  return content.slice(0, done);
}

function defectOf(content: Uint8Array, { bytes, md5 }: RemoteFile): string | undefined {
  if (bytes !== undefined && content.length !== bytes) return `is ${content.length} bytes, expected ${bytes}`;
  const actual = createHash("md5").update(content).digest("hex");
  return actual === md5 ? undefined : `its MD5 is ${actual}, expected ${md5}`;
}

/** `fetch` says only "fetch failed"; its cause says why. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause as NodeJS.ErrnoException | undefined) : undefined;
  const detail = cause?.message || cause?.code;
  return detail ? `${messageOf(thrown)}: ${detail}` : messageOf(thrown);
}
