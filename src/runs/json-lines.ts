import { createReadStream } from "node:fs";
import { unreadable } from "../files.node.js";
import { jsonIn } from "../json.js";

/** The longest line that is read, in bytes: those of a run have some hundred. */
const LONGEST = 2 ** 20;

/** A line of a file of JSON lines. */
export interface JsonLine {
  /** Counted from 1. */
  readonly number: number;
  /** What it says; undefined if it is not JSON, or longer than a line of a run. */
  readonly value: unknown;
  /** Its bytes, without the line break; none of a line that is too long. */
  readonly bytes: Buffer;
  /** Whether it ends with a line break: the last one may be cut off, as its writer may have been killed. */
  readonly complete: boolean;
}

/**
 * The lines of a file of JSON lines, one after the other, so that no file is too large.
 *
 * @throws GanOnnxError naming the file when it cannot be read.
 */
export async function* jsonLines(path: string): AsyncGenerator<JsonLine, undefined> {
  let [number, length] = [0, 0];
  let parts: Buffer[] = [];
  const add = (part: Buffer) => {
    length += part.length;
    if (length <= LONGEST) parts.push(part);
    else parts = [];
  };
  const line = (complete: boolean): JsonLine => {
    const bytes = Buffer.concat(parts);
    const value = length > LONGEST ? undefined : jsonIn(bytes.toString());
    [parts, length] = [[], 0];
    return { number: ++number, value, bytes, complete };
  };
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      let from = 0;
      for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
        add(chunk.subarray(from, to));
        yield line(true);
        from = to + 1;
      }
      add(chunk.subarray(from));
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (length > 0) yield line(false);
}

/** The objects among the lines of a file; none when there is no such file. */
export async function* records(path: string): AsyncGenerator<Readonly<Record<string, unknown>>, undefined> {
  try {
    for await (const { value } of jsonLines(path))
      if (typeof value === "object" && value !== null) yield value as Record<string, unknown>;
  } catch {
    // It is not there yet, or was taken away.
  }
}
