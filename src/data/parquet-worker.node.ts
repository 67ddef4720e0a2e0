/** A thread that reads a Parquet file, see parquet.node.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { GanOnnxError, messageOf } from "../error.js";
import { openParquet, type ParquetFile, type ParquetPicture, picturesOfGroup } from "./parquet-file.node.js";

/** What is asked: what the file holds, or the pictures of a group of rows. */
export type ParquetQuestion = "content" | number;

export interface ParquetContent {
  /** The number of rows of each group. */
  readonly groups: readonly number[];
  readonly classNames?: readonly string[];
}

export type ParquetAnswer =
  | { readonly content: ParquetContent }
  | { readonly pictures: readonly ParquetPicture[] }
  | { readonly fault: { readonly what: string; readonly fix?: string } };

const path = workerData as string;
let file: ParquetFile | undefined;

async function answered(question: ParquetQuestion): Promise<ParquetAnswer> {
  try {
    file ??= await openParquet(path);
    if (question !== "content") return { pictures: await picturesOfGroup(file, question) };
    const { metadata, classNames } = file;
    return { content: { groups: metadata.row_groups.map(({ num_rows }) => Number(num_rows)), classNames } };
  } catch (error) {
    if (!(error instanceof GanOnnxError)) return { fault: { what: messageOf(error) } };
    const { what, fix } = error.parts;
    return { fault: { what: String(what), fix: String(fix) } };
  }
}

parentPort?.on("message", async (question: ParquetQuestion) => {
  const answer = await answered(question);
  const buffers = "pictures" in answer ? answer.pictures.map(({ bytes }) => bytes.buffer) : [];
  parentPort?.postMessage(answer, buffers);
});
