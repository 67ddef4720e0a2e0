import { parquetWriteBuffer } from "hyparquet-writer";
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
export async function parquetOf(rows: readonly ParquetRow[], huggingface?: string): Promise<Uint8Array> {
  const images = rows.map(async ({ grey }, i) =>
    grey === undefined
      ? { bytes: undefined, path: "https://example.com/a.png" }
      : { bytes: new Uint8Array(await greyPng(grey)), path: `${i}.png` },
  );
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: "image", data: await Promise.all(images) },
      { name: "label", data: rows.map(({ label }) => BigInt(label)) },
    ],
    schema: [
      { name: "schema", num_children: 2 },
      { name: "image", num_children: 2, repetition_type: "OPTIONAL" },
      { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
      { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      { name: "label", type: "INT64", repetition_type: "OPTIONAL" },
    ],
    rowGroupSize: 2,
    ...(huggingface !== undefined && { kvMetadata: [{ key: "huggingface", value: huggingface }] }),
  });
  return new Uint8Array(buffer);
}
