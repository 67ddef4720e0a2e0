import { ByteWriter, parquetWriteBuffer } from "hyparquet-writer";
import { serializeTCompactProtocol } from "hyparquet-writer/src/thrift.js";
import { greyPng } from "./pictures.js";

/** A row without grey has a link in place of its bytes. */
export interface ParquetRow {
  readonly grey?: number;
  readonly label: number;
}

/**
 * A Parquet file with pictures of one grey each, as `datasets` writes them.
 *
 * @param huggingface what is under this name in the metadata.
 */
export async function parquetOf(
  rows: readonly ParquetRow[],
  huggingface?: string,
  { codec = "SNAPPY", labels = true }: { codec?: "SNAPPY" | "UNCOMPRESSED"; labels?: boolean } = {},
): Promise<Uint8Array> {
  const images = rows.map(async ({ grey }, i) =>
    grey === undefined
      ? { bytes: undefined, path: "https://example.com/a.png" }
      : { bytes: new Uint8Array(await greyPng(grey)), path: `${i}.png` },
  );
  const label = { name: "label", data: rows.map(({ label }) => BigInt(label)) };
  const buffer = parquetWriteBuffer({
    columnData: [{ name: "image", data: await Promise.all(images) }, ...(labels ? [label] : [])],
    schema: [
      { name: "schema", num_children: labels ? 2 : 1 },
      { name: "image", num_children: 2, repetition_type: "OPTIONAL" },
      { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
      { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      ...(labels ? [{ name: "label", type: "INT64", repetition_type: "OPTIONAL" } as const] : []),
    ],
    rowGroupSize: 2,
    codec,
    ...(huggingface !== undefined && { kvMetadata: [{ key: "huggingface", value: huggingface }] }),
  });
  return new Uint8Array(buffer);
}

/**
 * A file as pyarrow writes it: pages of version 1, Snappy, dictionaries. Of five rows, four have pictures of one pixel:
 * grey 10, 20, 10 and 20 with labels 0, 1, 1 and 0.
 */
export const pyarrowFile = new Uint8Array(
  Buffer.from(
    "UEFSMRUEFZwCFcgBTBUEFQASAACOAVxDAAAAiVBORw0KGgoAAAANSUhEUgAAAAEBBKgIAAAAADp+m1UAAAAKSURBVHicY+ACAAAMAAtnOiucAAAAAElFTkSuQmCCvkcAWBABAAAWABVubnguAAAAAElFTkSuQmCCFQAVFBUYLBUKFRAVBhUGHAAAAAokAwAAAAOqAAEDChUEFRIVFkwVAhUAEgAACSAFAAAAYS5wbmcVABUUFRgsFQoVEBUGFQYcAAAACiQDAAAAA6oAAQgAFQQVIBUkTBUEFQASAAAQPAAAAAAAAAAAAQAAAAAAAAAVABUSFRYsFQoVEBUGFQYcAAAACSACAAAAAw8BAwYVBBlcNQAYBnNjaGVtYRUEADUCGAVpbWFnZRUEABUMJQIYBWJ5dGVzABUMJQIYBHBhdGglAEwcAAAAFQQlAhgFbGFiZWwAFgoZHBk8JgAcFQwZNQAGEBkoBWltYWdlBWJ5dGVzFQIWChb2AhamAibwASYIKSwVBBUAFQIAFQAVEBUCADwWmAQZBhk2AgAIAAAAJgAcFQwZNQAGEBkoBWltYWdlBHBhdGgVAhYKFmgWcCbgAiauAiksFQQVABUCABUAFRAVAgA8FigZBhk2AgAIAAAAJgAcFQQZNQAGEBkYBWxhYmVsFQIWChZ0Fnwm3gMmngMpLBUEFQAVAgAVABUQFQIAPCkGGSYCCAAAABbSBBYKJggWkgQAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRk8HAAAHAAAHAAAAEYBAABQQVIx",
    "base64",
  ),
);

/** A structure of Thrift, by the numbers of its fields. */
export interface Fields {
  readonly [field: number]: number | bigint | boolean | string | Uint8Array | Fields | readonly unknown[];
}

/** Bytes of Thrift's compact protocol. */
export function thriftOf(fields: Fields): Uint8Array {
  const writer = new ByteWriter();
  serializeTCompactProtocol(writer, fields as Parameters<typeof serializeTCompactProtocol>[1]);
  return writer.getBytes().slice();
}

/** A file of which each part may lie. Numbers of fields are those of parquet.thrift. */
export interface Crafted {
  readonly pages: readonly { readonly header: Fields; readonly body: Uint8Array }[];
  readonly rows?: bigint;
  /** 0 is no compression, 1 is Snappy. */
  readonly codec?: number;
  /** Whether a row may have no picture, so that pages have definition levels. */
  readonly optional?: boolean;
  /** Replaces fields of the column's metadata. */
  readonly column?: Fields;
  /** Replaces fields of the file's metadata. */
  readonly file?: Fields;
}

/** A Parquet file with one column of images, in one group of rows. */
export function craftedParquet({ pages, rows = 4n, codec = 0, optional, column, file }: Crafted): Uint8Array {
  const start = Buffer.from("PAR1");
  const chunk = Buffer.concat(pages.flatMap(({ header, body }) => [thriftOf(header), body]));
  const size = BigInt(chunk.length);
  const about = {
    1: 6,
    2: [0],
    3: ["image", "bytes"],
    4: codec,
    5: rows,
    6: size,
    7: size,
    9: 4n,
    ...column,
  };
  const schema = [
    { 4: "schema", 5: 1 },
    { 3: 0, 4: "image", 5: 1 },
    { 1: 6, 3: optional ? 1 : 0, 4: "bytes" },
  ];
  const group = { 1: [{ 2: 4n, 3: about }], 2: size, 3: rows };
  const metadata = thriftOf({ 1: 2, 2: schema, 3: rows, 4: [group], ...file });
  return endedParquet(Buffer.concat([start, chunk]), metadata);
}

/** Put metadata at the end of a file, with their length and the mark. */
export function endedParquet(head: Uint8Array, metadata: Uint8Array, length = metadata.length): Uint8Array {
  const end = Buffer.alloc(8, "PAR1");
  end.writeUInt32LE(length, 0);
  end.write("PAR1", 4, "latin1");
  return new Uint8Array(Buffer.concat([head, metadata, end]));
}
