import { mkdir, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { AsyncBuffer, FileMetaData } from "hyparquet";
import { z } from "zod";
import { GanOnnxError, messageOf } from "../error.js";
import type { DataOptions } from "./dataset.js";
import { type FolderContent, firstFew } from "./folder.node.js";
import { isPicture } from "./picture-formats.node.js";
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
 * @throws {@link GanOnnxError} when a file is damaged, or has no column of images.
 */
export async function unpackedParquet(
  paths: readonly string[],
  options: Pick<DataOptions, "report" | "signal">,
): Promise<UnpackedParquet> {
  const { asyncBufferFromFile, parquetMetadataAsync } = await import("hyparquet");
  const files = await Promise.all(
    paths.map(async (path): Promise<ParquetFile> => {
      const { file, metadata } = await orDamaged(path, async () => {
        const file = await asyncBufferFromFile(path);
        return { file, metadata: await parquetMetadataAsync(file) };
      });
      return { path, file, metadata, ...(await columnsOf(path, metadata)) };
    }),
  );
  const { classNames } = files[0];
  const write = async (folder: string, count: (bytes: number) => void) => {
    // A class without a picture keeps its number.
    for (const number of classNames?.keys() ?? []) await mkdir(join(folder, String(number)));
    const total = files.reduce((sum, { metadata }) => sum + Number(metadata.num_rows), 0);
    let done = 0;
    for (const file of files) {
      for await (const { name, number, bytes } of picturesIn(file)) {
        options.signal?.throwIfAborted();
        count(bytes.length);
        const target = number === undefined ? folder : join(folder, String(number));
        await mkdir(target, { recursive: true });
        await writeFile(join(target, `${String(done++).padStart(7, "0")}${name}`), bytes);
        options.report?.("unpacking images", done, total);
      }
    }
  };
  return { folder: await unpackedOnce(paths, write, options), classNames };
}

interface ParquetFile extends Columns {
  readonly path: string;
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
}

/** The columns that are read, and the names of the classes. */
interface Columns {
  readonly image: string;
  readonly label?: string;
  readonly classNames?: readonly string[];
}

const featuresSchema = z.object({
  info: z.object({
    features: z.record(
      z.string(),
      z.looseObject({ _type: z.string().optional(), names: z.array(z.string()).optional() }),
    ),
  }),
});

async function columnsOf(path: string, metadata: FileMetaData): Promise<Columns> {
  const { parquetSchema } = await import("hyparquet");
  const columns = parquetSchema(metadata).children;
  const holds = (name: string) => columns.some(({ element }) => element.name === name);
  const image = columns.find(({ children }) => children.some(({ element }) => element.name === "bytes"));
  if (!image) {
    throw new GanOnnxError({
      what: `has no column of images, only ${firstFew(
        columns.map(({ element }) => element.name),
        6,
      )}`,
      where: path,
      fix: "name a Parquet file whose images are stored as in Hugging Face's data sets, with bytes and path",
    });
  }
  const features = featuresOf(metadata);
  const declared = Object.keys(features).find((name) => features[name]._type === "ClassLabel" && holds(name));
  const label = declared ?? ["label", "labels"].find(holds);
  return {
    image: image.element.name,
    label,
    classNames: declared === undefined ? undefined : features[declared].names,
  };
}

function featuresOf({ key_value_metadata: pairs = [] }: FileMetaData) {
  const text = pairs.find(({ key }) => key === "huggingface")?.value;
  try {
    return featuresSchema.parse(JSON.parse(text ?? "")).info.features;
  } catch {
    // Other programs write no such note, or another one. Then columns are known by their names only.
    return {};
  }
}

const imageSchema = z.object({ bytes: z.instanceof(Uint8Array), path: z.string().nullish() });
const labelSchema = z.union([z.bigint(), z.int()]).transform(Number).nullish();

/**
 * The pictures of a file, one group of rows at a time. A picture that is not in the file, such as a link, is empty, so
 * that it is named as a broken file is.
 */
async function* picturesIn({ path, file, metadata, image, label }: ParquetFile) {
  const { parquetReadObjects } = await import("hyparquet");
  const columns = [image, ...(label === undefined ? [] : [label])];
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const range = { file, metadata, columns, rowStart, rowEnd, utf8: false };
    const rows = await orDamaged(path, () => parquetReadObjects(range));
    for (const row of rows) {
      const { bytes, path: name } = imageSchema.safeParse(row[image]).data ?? { bytes: new Uint8Array() };
      const number = label === undefined ? undefined : labelSchema.safeParse(row[label]);
      if (number && (!number.success || (number.data ?? 0) < 0)) {
        throw broken(path, `the column ${label} is not one of class numbers`, "replace it by a whole copy");
      }
      const extension = name && isPicture(name) ? extname(name) : ".png";
      yield { name: extension, number: number?.data ?? undefined, bytes };
    }
    rowStart = rowEnd;
  }
}

async function orDamaged<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const what = `cannot be read as a Parquet file (${messageOf(cause)})`;
    throw broken(path, what, "replace it by a whole copy", cause);
  }
}
