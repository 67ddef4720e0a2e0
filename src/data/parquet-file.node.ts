import { extname } from "node:path";
import type { AsyncBuffer, FileMetaData } from "hyparquet";
import { z } from "zod";
import { GanOnnxError, messageOf } from "../error.js";
import { firstFew } from "./folder.node.js";
import { isPicture } from "./picture-formats.node.js";
import { broken } from "./unpacked.node.js";

/** An open Parquet file with a column of images. */
export interface ParquetFile extends Columns {
  readonly path: string;
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
}

/** A picture of a file. */
export interface ParquetPicture {
  /** The end of its name. */
  readonly extension: string;
  /** The number of its class, if there are classes. */
  readonly number?: number;
  /** Empty for a picture that is not in the file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Open a Parquet file.
 *
 * @throws {@link GanOnnxError} when it is damaged, or has no column of images.
 */
export async function openParquet(path: string): Promise<ParquetFile> {
  const { asyncBufferFromFile, parquetMetadataAsync } = await import("hyparquet");
  const { file, metadata } = await orDamaged(path, async () => {
    const file = await asyncBufferFromFile(path);
    return { file, metadata: await parquetMetadataAsync(file) };
  });
  return { path, file, metadata, ...(await columnsOf(path, metadata)) };
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
 * The pictures of one group of rows. A picture that is not in the file, such as a link, is empty, so that it is named as
 * a broken file is.
 *
 * @throws {@link GanOnnxError} when the file is damaged.
 */
export async function picturesOfGroup(
  { path, file, metadata, image, label }: ParquetFile,
  group: number,
): Promise<ParquetPicture[]> {
  const { parquetReadObjects } = await import("hyparquet");
  const columns = [image, ...(label === undefined ? [] : [label])];
  const rowStart = metadata.row_groups
    .slice(0, group)
    .reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
  const rowEnd = rowStart + Number(metadata.row_groups[group].num_rows);
  const range = { file, metadata, columns, rowStart, rowEnd, utf8: false };
  const rows = await orDamaged(path, () => parquetReadObjects(range));
  return rows.map((row) => {
    const { bytes, path: name } = imageSchema.safeParse(row[image]).data ?? { bytes: new Uint8Array() };
    const number = label === undefined ? undefined : labelSchema.safeParse(row[label]);
    if (number && (!number.success || (number.data ?? 0) < 0)) {
      throw broken(path, `the column ${label} is not one of class numbers`, "replace it by a whole copy");
    }
    const extension = name && isPicture(name) ? extname(name) : ".png";
    return { extension, number: number?.data ?? undefined, bytes: new Uint8Array(bytes) };
  });
}

async function orDamaged<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const what = `cannot be read as a Parquet file (${messageOf(cause)})`;
    throw broken(path, what, "replace it by a whole copy", cause);
  }
}
