import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../error.js";
import { Thread } from "../runtime/thread.node.js";
import type { DataOptions } from "./dataset.js";
import type { FolderContent } from "./folder.node.js";
import type { ParquetAnswer, ParquetContent, ParquetQuestion } from "./parquet-worker.node.js";
import { broken, unpackedOnce } from "./unpacked.node.js";

/** Whether a file has the name of a Parquet file. */
export const isParquet = (path: string) => /\.parquet$/i.test(path);

/** The Parquet files of a folder with training images: those named `train…`, or all. */
export function trainingParquet({ folder, files }: FolderContent): string[] {
  const all = files.filter(({ path }) => isParquet(path));
  const training = all.filter(({ name }) => /^train/i.test(name));
  return (training.length > 0 ? training : all).map(({ path }) => join(folder, path));
}

/** A folder with the pictures of Parquet files, in sub-folders by class number if there are classes. */
export interface UnpackedParquet {
  readonly folder: string;
  /** The names of all classes, if the files have them. */
  readonly classNames?: readonly string[];
}

/**
 * Write the pictures of Parquet files into a folder of the cache, unless that was done before. The files are those of
 * Hugging Face's data sets: a column of images, each with `bytes` and `path`, perhaps a column of class numbers, and
 * what they are under `huggingface` in the metadata (https://huggingface.co/docs/datasets/about_dataset_features).
 *
 * A thread reads each file, because the decoder may need gigabytes for a damaged one, or not end.
 *
 * @param options `patience` is how many milliseconds one group of rows may take. The default is a minute, and a second
 * more for each megabyte of the file.
 * @throws {@link GanOnnxError} when a file is damaged, or has no column of images.
 */
export async function unpackedParquet(
  paths: readonly string[],
  options: Pick<DataOptions, "report" | "signal"> & { readonly patience?: number },
): Promise<UnpackedParquet> {
  const files: ParquetReader[] = [];
  try {
    for (const path of paths) {
      const { patience = 60_000 + (await stat(path)).size / 1e3 } = options;
      files.push(await readerOf(path, patience));
    }
    const { classNames } = files[0].content;
    const write = async (folder: string, count: (bytes: number) => void) => {
      // A class without a picture keeps its number.
      for (const number of classNames?.keys() ?? []) await mkdir(join(folder, String(number)));
      const total = files.flatMap(({ content }) => content.groups).reduce((sum, rows) => sum + rows, 0);
      let done = 0;
      for (const { content, pictures } of files) {
        for (const group of content.groups.keys()) {
          for (const { extension, number, bytes } of await pictures(group)) {
            options.signal?.throwIfAborted();
            count(bytes.length);
            const target = number === undefined ? folder : join(folder, String(number));
            await mkdir(target, { recursive: true });
            await writeFile(join(target, `${String(done++).padStart(7, "0")}${extension}`), bytes);
            options.report?.("unpacking images", done, total);
          }
        }
      }
    };
    return { folder: await unpackedOnce(paths, write, options), classNames };
  } finally {
    await Promise.all(files.map(({ close }) => close()));
  }
}

interface ParquetReader {
  readonly content: ParquetContent;
  pictures(group: number): Promise<Extract<ParquetAnswer, { pictures: unknown }>["pictures"]>;
  close(): Promise<void>;
}

/** Milliseconds for a thread to start, also on a busy machine. */
const START = 60_000;
/** The most memory of a thread for what it reads, in MiB, beside the bytes of pictures. */
const MOST_MEMORY = 1024;

async function readerOf(path: string, patience: number): Promise<ParquetReader> {
  const thread = new Thread<ParquetQuestion, ParquetAnswer>("#parquet-worker", "it", path, {
    maxOldGenerationSizeMb: MOST_MEMORY,
  });
  const ask = async (question: ParquetQuestion) => {
    const limit = question === "content" ? START + patience : patience;
    const late = setTimeout(() => thread.end(`it takes over ${Math.round(limit / 1000)} s`), limit);
    const answer = await thread
      .ask(question)
      .catch((cause: unknown): ParquetAnswer => {
        return { fault: { what: `cannot be read as a Parquet file (${messageOf(cause)})` } };
      })
      .finally(() => clearTimeout(late));
    if (!("fault" in answer)) return answer;
    await thread.end("it is damaged");
    throw broken(path, answer.fault.what, answer.fault.fix ?? "replace it by a whole copy");
  };
  const answer = await ask("content");
  if (!("content" in answer)) throw new Error("a Parquet thread answered something else");
  return {
    content: answer.content,
    async pictures(group) {
      const answer = await ask(group);
      return "pictures" in answer ? answer.pictures : [];
    },
    close: () => thread.end("all is read"),
  };
}
