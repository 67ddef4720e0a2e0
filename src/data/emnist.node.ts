import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GanOnnxError, messageOf, setting, text } from "../error.js";
import { writeAtomically } from "../files.node.js";
import { cacheFolder } from "./cache.node.js";
import { type DataOptions, type Dataset, mnistForm, requireForm } from "./dataset.js";
import { type DownloadOptions, downloaded, type RemoteFile } from "./download.node.js";
import { type IdxFile, idxDataset } from "./idx.js";

/** The parts of EMNIST with a name: letters, digits, and both, balanced. */
export const emnistNames = ["emnist-letters", "emnist-digits", "emnist-balanced"] as const;
export type EmnistName = (typeof emnistNames)[number];
export const isEmnist = (name: string): name is EmnistName =>
  (emnistNames as readonly string[]).includes(name);

/**
 * EMNIST (Cohen et al. 2017, https://arxiv.org/abs/1702.05373): one archive of 562 MB contains all parts, in the folder
 * `gzip`. Its MD5 is that of torchvision's `datasets/mnist.py`.
 */
const archiveOfAll: RemoteFile = {
  name: "gzip.zip",
  mostBytes: 700e6,
  md5: "58c8d27c78d21e728a6bc7b3cc06412e",
};
const mirrorsOfAll = [
  "https://biometrics.nist.gov/cs_links/EMNIST/",
  "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/",
];
/** The largest file in the archive has 166 MB. */
const MOST_BYTES_EACH = 400e6;

export interface EmnistOptions extends DataOptions {
  /** The folder for the files. The default is the folder `emnist` in {@link cacheFolder}. */
  readonly folder?: string;
  readonly mirrors?: readonly string[];
  readonly archive?: RemoteFile;
  readonly stallMs?: number;
}

/**
 * Load the training or test images of a part of EMNIST, 1x28x28 with labels, in upright orientation. The archive is
 * downloaded the first time, and its files are stored.
 *
 * @throws {@link GanOnnxError} when no mirror has the archive, with the reason for each mirror and the folder for
 * manual downloads; of kind usage when another size or more channels are requested.
 */
export async function loadEmnist(
  name: EmnistName,
  part: "train" | "test",
  options: EmnistOptions,
): Promise<Dataset> {
  requireForm(name, mnistForm, options);
  const { folder = join(cacheFolder(), "emnist"), archive = archiveOfAll, mirrors = mirrorsOfAll } = options;
  const names = ["images-idx3", "labels-idx1"].map((kind) => `${name}-${part}-${kind}-ubyte.gz`);
  const fix = text`put ${names.join(" and ")} into ${folder}, or use ${setting("data", "drawn")}, which needs no download`;
  const files =
    (await kept(folder, names)) ??
    (await downloaded(archive, { ...options, folder, mirrors, name, fix }, [], async (content) => {
      await keepAll(content, folder, options);
      return kept(folder, names);
    }));
  if (!files) {
    const what = `${archive.name} does not hold ${names.join(" and ")}`;
    throw new GanOnnxError({ what, where: setting("data", name), fix });
  }
  const [images, labels] = files;
  return idxDataset(part === "train" ? name : `${name}'s test images`, images, labels);
}

/** The files, if all exist. */
async function kept(folder: string, names: readonly string[]): Promise<IdxFile[] | undefined> {
  const read = names.map(async (name) => {
    const path = join(folder, name);
    return { path, content: new Uint8Array(await readFile(path)) };
  });
  return Promise.all(read).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw new GanOnnxError({
      what: `cannot be read (${messageOf(cause)})`,
      where: folder,
      fix: "make its files readable",
      cause,
    });
  });
}

/** Store the archive's files of the known parts. */
async function keepAll(
  content: Uint8Array<ArrayBuffer>,
  folder: string,
  { report }: Pick<DownloadOptions, "report">,
): Promise<void> {
  const { fromBufferPromise } = await import("yauzl");
  const zip = await fromBufferPromise(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
  for await (const entry of zip.eachEntry()) {
    const file = /(?:^|\/)((emnist-\w+)-(?:train|test)-(?:images-idx3|labels-idx1)-ubyte\.gz)$/.exec(
      entry.fileName,
    );
    if (!file || !isEmnist(file[2]) || entry.uncompressedSize > MOST_BYTES_EACH) continue;
    report?.(`unpacking ${file[1]}`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Uint8Array);
    await writeAtomically(join(folder, file[1]), Buffer.concat(chunks));
  }
}
