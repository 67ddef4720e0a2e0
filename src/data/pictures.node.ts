import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../error.js";
import { formats, type PictureForm } from "./picture-formats.node.js";

/** The common data of all threads that read the pictures of a folder. */
export interface ReadingTask extends PictureForm {
  readonly folder: string;
  /** `[count, channels, size, size]`, in shared memory. Each picture is written to its position. */
  readonly images: Uint8Array<SharedArrayBuffer>;
  /** One number, 1 while a thread decodes a large picture. */
  readonly large: Int32Array<SharedArrayBuffer>;
}

/** Pictures to read: their positions in the data set, and their paths in the folder. */
export type PicturesToRead = readonly { readonly place: number; readonly path: string }[];

/** Properties of a picture that was read, or why it could not be read. */
export interface PictureRead {
  readonly place: number;
  /** Continues "the file ...". */
  readonly broken?: string;
  readonly overWhite?: Uint8Array<ArrayBuffer>;
  readonly opacity?: number;
  readonly luma?: number;
}

/** The maximum file size: larger files are not pictures of up to 32 megapixels. */
const MOST_BYTES = 256e6;

/** Pictures from this size on are decoded one at a time, independent of the number of threads. */
const LARGE_MEGAPIXELS = 4;

/** Read pictures into their positions. A broken picture is reported and its position is not changed. */
export async function readPictures(task: ReadingTask, pictures: PicturesToRead): Promise<PictureRead[]> {
  const { channels, size, images } = task;
  const found: PictureRead[] = [];
  // The decoders take a while to load.
  const decoding = await import("./picture.node.js");
  for (const { place, path } of pictures) {
    try {
      const { pixels, drawing } = await read(task, join(task.folder, path), decoding);
      images.set(pixels, place * channels * size * size);
      found.push({ place, ...drawing });
    } catch (error) {
      found.push({ place, broken: messageOf(error) });
    }
  }
  return found;
}

async function read(
  task: ReadingTask,
  path: string,
  { headOf, imageOfPicture }: typeof import("./picture.node.js"),
) {
  const bytes = contentOf(path);
  const { format, megapixels } = headOf(bytes);
  if (megapixels >= LARGE_MEGAPIXELS) {
    while (Atomics.compareExchange(task.large, 0, 0, 1) !== 0) Atomics.wait(task.large, 0, 1);
  }
  try {
    return await imageOfPicture(bytes, task, format);
  } catch (error) {
    const reason = messageOf(error);
    // pngjs says that "read requests" are "waitng on finished stream".
    const said = /on finished stream/.test(reason) ? "it ends too early" : reason;
    throw new Error(`cannot be decoded as ${formats[format]} (${said})`);
  } finally {
    if (megapixels >= LARGE_MEGAPIXELS) {
      Atomics.store(task.large, 0, 0);
      Atomics.notify(task.large, 0);
    }
  }
}

function contentOf(path: string): Uint8Array<ArrayBuffer> {
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES) throw new Error(`${(size / 1e6).toFixed(0)} MB are too many`);
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw new Error(`cannot be read (${messageOf(error)})`);
  }
}
