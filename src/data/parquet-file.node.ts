import { extname } from "node:path";
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadata,
  parquetSchema,
  type RowGroup,
  type SchemaTree,
} from "hyparquet";
import { z } from "zod";
import { GanOnnxError, messageOf } from "../error.js";
import { firstFew } from "./folder.node.js";
import { checkThrift, within } from "./parquet-checks.js";
import { type Leaf, valuesOf } from "./parquet-column.js";
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
  /** Empty for a picture that is not in the file. Pictures may share a buffer. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The most bytes of metadata: 100,000 groups of rows take about 30 MB. */
const MOST_METADATA = 2 ** 25;
/** The most fields of metadata. Each takes about 100 bytes of memory. */
const MOST_FIELDS = 2 ** 21;
/** The most elements of a schema, and bytes of the note on classes. */
const [MOST_ELEMENTS, MOST_NOTE] = [2_000, 2 ** 23];

/**
 * Open a Parquet file.
 *
 * @throws {@link GanOnnxError} when it is damaged, or has no column of images.
 */
export function openParquet(path: string): Promise<ParquetFile> {
  return orDamaged(path, async () => {
    const file = await asyncBufferFromFile(path);
    const metadata = await metadataOf(file);
    return { path, file, metadata, ...columnsOf(path, metadata) };
  });
}

/** The metadata at the end of a file, before their length and a mark of 4 bytes each. */
async function metadataOf(file: AsyncBuffer): Promise<FileMetaData> {
  const end = file.byteLength - 8;
  if (end < 4) throw new Error("it is too short");
  const tail = Buffer.from(await file.slice(end));
  if (tail.toString("latin1", 4) !== "PAR1") throw new Error("it does not end in PAR1");
  const length = within(tail.readUInt32LE(0), Math.min(end, MOST_METADATA), "bytes of metadata");
  const bytes = await file.slice(end - length);
  checkThrift(new Uint8Array(bytes, 0, length), 0, MOST_FIELDS);
  const metadata = parquetMetadata(bytes, { geoparquet: false });
  within(metadata.schema.length, MOST_ELEMENTS, "columns");
  for (const { num_rows } of metadata.row_groups) {
    within(num_rows, Number.MAX_SAFE_INTEGER, "rows of a group");
  }
  return metadata;
}

/** The columns that are read, and the names of the classes. */
interface Columns {
  readonly image: { readonly bytes: Leaf; readonly path?: Leaf };
  readonly label?: Leaf;
  readonly classNames?: readonly string[];
}

const featuresSchema = z.object({
  info: z.object({
    features: z.record(
      z.string(),
      z.looseObject({
        _type: z.string().optional(),
        names: z
          .array(z.string())
          .max(2 ** 16)
          .optional(),
      }),
    ),
  }),
});

function columnsOf(path: string, metadata: FileMetaData): Columns {
  const root = parquetSchema(metadata);
  const columns = root.children;
  const holds = (name: string) => columns.some(({ element }) => element.name === name);
  const bytes = columns.map((column) => leafOf(root, column, "bytes")).find((leaf) => leaf !== undefined);
  if (!bytes) {
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
  const name = declared ?? ["label", "labels"].find(holds);
  const label = columns.find(({ element }) => name !== undefined && element.name === name);
  if (label && !isLeaf(label)) throw noNumbers(path, label);
  return {
    image: { bytes, path: leafOf(root, bytes[1], "path") },
    label: label && [root, label],
    classNames: declared === undefined ? undefined : features[declared].names,
  };
}

const isLeaf = ({ element, children }: SchemaTree) =>
  children.length === 0 && element.repetition_type !== "REPEATED";

/** A column of bytes inside a structure. */
function leafOf(root: SchemaTree, column: SchemaTree, name: string): Leaf | undefined {
  const leaf = column.children.find(({ element }) => element.name === name);
  const isOne = column.element.repetition_type !== "REPEATED" && leaf?.element.type === "BYTE_ARRAY";
  return leaf && isOne && isLeaf(leaf) ? [root, column, leaf] : undefined;
}

function featuresOf({ key_value_metadata: pairs = [] }: FileMetaData) {
  const text = pairs.find(({ key }) => key === "huggingface")?.value ?? "";
  try {
    within(text.length, MOST_NOTE, "characters of the note on classes");
    return featuresSchema.parse(JSON.parse(text)).info.features;
  } catch {
    // Other programs write no such note, or another one. Then columns are known by their names only.
    return {};
  }
}

const noNumbers = (path: string, { element }: SchemaTree) =>
  broken(path, `the column ${element.name} is not one of class numbers`, "replace it by a whole copy");

const labelSchema = z.union([z.bigint(), z.int()]).transform(Number).nullish();

/**
 * The pictures of one group of rows. A picture that is not in the file, such as a link, is empty, so that it is named as
 * a broken file is.
 *
 * @throws {@link GanOnnxError} when the file is damaged, or needs more memory than it should.
 */
export function picturesOfGroup(parquet: ParquetFile, group: number): Promise<ParquetPicture[]> {
  const { path, file, metadata, image, label } = parquet;
  return orDamaged(path, async () => {
    const read = readerOf(file, metadata.row_groups[group], [image.bytes, image.path, label]);
    const pictures = await read(image.bytes);
    const names = image.path && (await read(image.path));
    const labels = label && (await read(label));
    const missing = new Uint8Array();
    return pictures.map((bytes, i) => {
      const number = labelSchema.safeParse(labels?.[i]);
      if (label && (!number.success || (number.data ?? 0) < 0)) throw noNumbers(path, label[1]);
      return {
        extension: extensionOf(names?.[i]),
        number: number.data ?? undefined,
        bytes: bytes instanceof Uint8Array ? (bytes as Uint8Array<ArrayBuffer>) : missing,
      };
    });
  });
}

/** Rows of a group that may take next to no bytes, and the least bytes of each further row. */
const [FREE_ROWS, LEAST_ROW] = [2 ** 16, 8];
/** The most bytes of a group without compression: this, or this many times its bytes in the file. */
const [MOST_BYTES, MOST_TIMES] = [2 ** 29, 4];

/** Reads columns of a group of rows. */
function readerOf(file: AsyncBuffer, { num_rows, columns }: RowGroup, leaves: readonly (Leaf | undefined)[]) {
  const chunks = new Map(
    leaves.flatMap((leaf) => {
      if (!leaf) return [];
      const key = JSON.stringify(leaf[leaf.length - 1].path);
      const chunk = columns.find(({ meta_data }) => JSON.stringify(meta_data?.path_in_schema) === key);
      if (!chunk?.meta_data || chunk.file_path) throw new Error(`a group of rows lacks the column ${key}`);
      const { meta_data: about } = chunk;
      const first = about.dictionary_page_offset || about.data_page_offset;
      const start = within(first, file.byteLength, "start of a column");
      const size = within(about.total_compressed_size, file.byteLength - start, "bytes of a column");
      return [[leaf, { start, size, codec: about.codec }] as const];
    }),
  );
  const total = [...chunks.values()].reduce((sum, { size }) => sum + size, 0);
  const rows = within(num_rows, FREE_ROWS + Math.floor(total / LEAST_ROW), "rows of a group");
  const most = Math.max(MOST_BYTES, MOST_TIMES * total);
  let spent = 0;
  const spend = (bytes: number) => {
    spent = within(spent + bytes, most, "bytes of a group without compression");
  };
  return async (leaf: Leaf): Promise<unknown[]> => {
    const { start, size, codec } = chunks.get(leaf)!;
    const bytes = new Uint8Array(await file.slice(start, start + size));
    return valuesOf({ bytes, codec, rows, spend }, leaf);
  };
}

/** The extension of a name in UTF-8. Only its end is read: a name may have any length. */
function extensionOf(name: unknown): string {
  const end = name instanceof Uint8Array ? new TextDecoder().decode(name.subarray(-16)) : "";
  return isPicture(end) ? extname(end) : ".png";
}

async function orDamaged<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof GanOnnxError) throw cause;
    const what = `cannot be read as a Parquet file (${messageOf(cause)})`;
    throw broken(path, what, "replace it by a whole copy", cause);
  }
}
