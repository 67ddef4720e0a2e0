import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DataOptions } from "./dataset.js";
import type { FolderContent } from "./folder.node.js";
import { type ParquetLimits, ParquetReader } from "./parquet-reader.node.js";
import type { ParquetContent } from "./parquet-worker.node.js";
import { unpackedOnce } from "./unpacked.node.js";

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
 * @param options `reader` may serve several calls. Without one, a thread is started for this call. `patience` is how
 * many milliseconds of work one group of rows may take: the default is 3 seconds, and 1 more for each 10 MB of the file.
 * @throws {@link GanOnnxError} when a file is damaged, or has no column of images.
 */
export async function unpackedParquet(
  paths: readonly string[],
  options: Pick<DataOptions, "report" | "signal"> & {
    readonly reader?: ParquetReader;
    readonly patience?: number;
  },
): Promise<UnpackedParquet> {
  const { reader = new ParquetReader(), signal, report } = options;
  try {
    const files: (ParquetContent & { readonly path: string; readonly limits: ParquetLimits })[] = [];
    for (const path of paths) {
      const { patience = 3_000 + (await stat(path)).size / 1e4 } = options;
      const limits = { patience, signal };
      files.push({ path, limits, ...(await reader.content(path, limits)) });
    }
    const [{ classNames }] = files;
    const write = async (folder: string, count: (bytes: number) => void) => {
      // A class without a picture keeps its number.
      for (const number of classNames?.keys() ?? []) await mkdir(join(folder, String(number)));
      const total = files.flatMap(({ groups }) => groups).reduce((sum, rows) => sum + rows, 0);
      let done = 0;
      for (const { path, limits, groups } of files) {
        for (const group of groups.keys()) {
          for (const { extension, number, bytes } of await reader.pictures(path, group, limits)) {
            signal?.throwIfAborted();
            count(bytes.length);
            const target = number === undefined ? folder : join(folder, String(number));
            await mkdir(target, { recursive: true });
            await writeFile(join(target, `${String(done++).padStart(7, "0")}${extension}`), bytes);
            report?.("unpacking images", done, total);
          }
        }
      }
    };
    return { folder: await unpackedOnce(paths, write, options), classNames };
  } finally {
    if (options.reader === undefined) await reader.close();
  }
}
