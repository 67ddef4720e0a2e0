import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GanOnnxError, messageOf, setting, text } from "../error.js";
import { writeAtomically } from "../files.node.js";
import { cacheFolder } from "./cache.node.js";
import { type DataOptions, type Dataset, digitNames, mnistForm, requireForm } from "./dataset.js";
import { type IdxFile, idxDataset } from "./idx.js";

/** A file to be had from any of several mirrors, known by its length and MD5. */
export interface RemoteFile {
  readonly name: string;
  readonly bytes: number;
  readonly md5: string;
}

/** MNIST (LeCun, Cortes, Burges). The MD5s are those of torchvision's `datasets/mnist.py`. */
export const mnistFiles = {
  trainImages: {
    name: "train-images-idx3-ubyte.gz",
    bytes: 9_912_422,
    md5: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
  },
  trainLabels: { name: "train-labels-idx1-ubyte.gz", bytes: 28_881, md5: "d53e105ee54ea40749a09fcbcd1e9432" },
  testImages: {
    name: "t10k-images-idx3-ubyte.gz",
    bytes: 1_648_877,
    md5: "9fb629c4189551a2d022fa330f9573f3",
  },
  testLabels: { name: "t10k-labels-idx1-ubyte.gz", bytes: 4_542, md5: "ec29112dd5afa0611ce80d1b7f02629c" },
} satisfies Record<string, RemoteFile>;

/** Folders of the web with the four files, tried in this order. */
export const mnistMirrors: readonly string[] = [
  "https://storage.googleapis.com/cvdf-datasets/mnist/",
  "https://ossci-datasets.s3.amazonaws.com/mnist/",
];

export interface MnistOptions extends DataOptions {
  /** Where the files are kept; `mnist` in {@link cacheFolder} unless told. */
  readonly folder?: string;
  readonly mirrors?: readonly string[];
  readonly files?: Record<keyof typeof mnistFiles, RemoteFile>;
  /** How long a mirror may send nothing before the next one is tried, in milliseconds. */
  readonly stallMs?: number;
}

/**
 * MNIST's 60,000 training digits, 1x28x28 with labels. All four files are downloaded the first time and kept; a kept
 * file whose MD5 is wrong is downloaded again.
 *
 * @throws {GanOnnxError} when a file can be had from no mirror, telling what each of them said and the folder in which
 *   to put the files by hand; of kind usage when another size or more channels are asked for.
 */
export async function loadMnist(options: MnistOptions): Promise<Dataset> {
  requireForm("mnist", mnistForm, options);
  const { files = mnistFiles, folder = join(cacheFolder(), "mnist") } = options;
  const images = await obtain(files.trainImages, folder, options);
  const labels = await obtain(files.trainLabels, folder, options);
  await obtain(files.testImages, folder, options);
  await obtain(files.testLabels, folder, options);
  return { ...(await idxDataset("mnist", images, labels)), classNames: digitNames };
}

/** MNIST's 10,000 test digits. Throws as {@link loadMnist} does. */
export async function loadMnistTest(options: MnistOptions): Promise<Dataset> {
  const { files = mnistFiles, folder = join(cacheFolder(), "mnist") } = options;
  const images = await obtain(files.testImages, folder, options);
  const labels = await obtain(files.testLabels, folder, options);
  return { ...(await idxDataset("mnist's test images", images, labels)), classNames: digitNames };
}

/** The kept copy of a file if it is whole, otherwise the first whole one that a mirror sends, which is then kept. */
async function obtain(file: RemoteFile, folder: string, options: MnistOptions): Promise<IdxFile> {
  const { mirrors = mnistMirrors, files = mnistFiles, signal } = options;
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
  const names = Object.values(files).map(({ name }) => name);
  throw new GanOnnxError({
    what: `${file.name} could not be downloaded (${complaints.join("; ")})`,
    where: setting("data", "mnist"),
    fix: text`put ${names.join(", ")} into ${folder}, or use ${setting("data", "drawn")}, which needs no download`,
  });
}

/** The whole content of a URL, checked against what is known of the file. Throws a plain Error saying what was wrong. */
async function download(
  url: string,
  file: RemoteFile,
  options: MnistOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { report, signal, stallMs = 30_000 } = options;
  const stalled = new AbortController();
  const timer = setTimeout(
    () => stalled.abort(new Error(`nothing arrived for ${stallMs / 1000} s`)),
    stallMs,
  );
  try {
    const signals = signal ? [signal, stalled.signal] : [stalled.signal];
    const response = await fetch(url, { signal: AbortSignal.any(signals) });
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status} ${response.statusText}`);
    const content = await collect(response.body, file.bytes, (done) => {
      timer.refresh();
      report?.(`downloading ${file.name}`, done, file.bytes);
    });
    const wrong = defectOf(content, file);
    if (wrong) throw new Error(wrong);
    return content;
  } finally {
    clearTimeout(timer);
    stalled.abort(); // lets go of a body that was not read to its end
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
  if (content.length !== bytes) return `is ${content.length} bytes, expected ${bytes}`;
  const actual = createHash("md5").update(content).digest("hex");
  return actual === md5 ? undefined : `its MD5 is ${actual}, expected ${md5}`;
}

/** Node's fetch says only "fetch failed"; its cause says why. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause as NodeJS.ErrnoException | undefined) : undefined;
  const detail = cause?.message || cause?.code;
  return detail ? `${messageOf(thrown)}: ${detail}` : messageOf(thrown);
}
