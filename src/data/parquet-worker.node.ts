/** A thread that reads Parquet files, see parquet-reader.node.ts. */
import { parentPort } from "node:worker_threads";
import { GanOnnxError, messageOf } from "../error.js";
import { openParquet, type ParquetFile, type ParquetPicture, picturesOfGroup } from "./parquet-file.node.js";

/** What is asked: what a file holds, or the pictures of a group of rows. */
export interface ParquetQuestion {
  readonly path: string;
  readonly group?: number;
}

export interface ParquetContent {
  /** The number of rows of each group. */
  readonly groups: readonly number[];
  readonly classNames?: readonly string[];
}

export type ParquetAnswer =
  | { readonly content: ParquetContent }
  | { readonly pictures: readonly ParquetPicture[] }
  | { readonly fault: { readonly what: string; readonly fix?: string } };

/** The file of the last question. The next is mostly about the same one. */
let open: ParquetFile | undefined;

async function answered({ path, group }: ParquetQuestion): Promise<ParquetAnswer> {
  try {
    // A question about the content comes first, so it opens the file as it is now.
    if (group === undefined || open?.path !== path) open = await openParquet(path);
    if (group !== undefined) return { pictures: await picturesOfGroup(open, group) };
    const { metadata, classNames } = open;
    return { content: { groups: metadata.row_groups.map(({ num_rows }) => Number(num_rows)), classNames } };
  } catch (error) {
    if (!(error instanceof GanOnnxError)) return { fault: { what: messageOf(error) } };
    const { what, fix } = error.parts;
    return { fault: { what: String(what), fix: String(fix) } };
  }
}

parentPort?.on("message", async (question: ParquetQuestion) => {
  const answer = await answered(question);
  const pictures = "pictures" in answer ? answer.pictures : [];
  parentPort?.postMessage(answer, [...new Set(pictures.map(({ bytes }) => bytes.buffer))]);
});
