import { readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { messageOf } from "../error.js";
import { sha256, writeAtomically } from "../files.node.js";
import { jsonIn } from "../json.js";
import { decodeSafetensors, encodeSafetensors } from "../tensors/safetensors.js";
import { cacheFolder } from "./cache.node.js";
import { type Background, backgrounds } from "./dataset.js";
import type { DatedFile } from "./folder.node.js";
import type { PictureForm } from "./picture-formats.node.js";

/** The result of reading the pictures of a folder. */
export interface PicturesOfFolder {
  /** `[count, channels, size, size]`. The content for broken pictures is undefined. */
  readonly images: Uint8Array;
  readonly broken: readonly { readonly place: number; readonly broken: string }[];
  /** The chosen background of transparent pixels, if there are any and no background was given. */
  readonly background?: { readonly chosen: Background; readonly pictures: number };
}

/** Increase it when pictures are converted differently, so that old cache entries are not used. */
const VERSION = 1;
/** The maximum size of the cache. The oldest entries are removed. */
const MOST_BYTES = 2e9;
/** Larger entries are not cached: writing needs twice their size in memory. */
const MOST_BYTES_EACH = 1e9;

const metadataSchema = z.object({
  broken: z.array(z.object({ place: z.int(), broken: z.string() })),
  background: z.object({ chosen: z.enum(backgrounds), pictures: z.int() }).optional(),
});

const folderOfImages = () => join(cacheFolder(), "images");
const pathOf = (key: string) => join(folderOfImages(), `${key}.safetensors`);

/** The cache key of some pictures: the folder, each file's name, size and times, and the form. */
export function keyOf(folder: string, files: readonly DatedFile[], form: PictureForm): string {
  const identities = files.map(({ path, bytes, times }) => [path, bytes, ...times]);
  return sha256(new TextEncoder().encode(JSON.stringify([VERSION, resolve(folder), form, identities])));
}

/** The cached pictures of a key; undefined if there are none or the entry is unusable. */
export async function kept(key: string): Promise<PicturesOfFolder | undefined> {
  const path = pathOf(key);
  try {
    const { tensors, metadata } = decodeSafetensors(new Uint8Array(await readFile(path)), path);
    const images = tensors.get("images")?.data;
    const about = metadataSchema.parse(jsonIn(metadata.pictures));
    await utimes(path, new Date(), new Date());
    return images instanceof Uint8Array ? { images, ...about } : undefined;
  } catch {
    // Ignore any error: the pictures can be read again.
    return undefined;
  }
}

/** Store pictures in the cache. Returns a message if it fails. */
export async function keep(key: string, { images, ...about }: PicturesOfFolder): Promise<string | undefined> {
  if (images.length > MOST_BYTES_EACH) return undefined;
  try {
    const tensors = new Map([["images", { dtype: "uint8" as const, shape: [images.length], data: images }]]);
    await writeAtomically(pathOf(key), encodeSafetensors(tensors, { pictures: JSON.stringify(about) }));
    await dropOldest();
    return undefined;
  } catch (error) {
    return `the images are not kept for the next time: ${messageOf(error)}`;
  }
}

async function dropOldest(): Promise<void> {
  const paths = (await readdir(folderOfImages())).map((name) => join(folderOfImages(), name));
  const files = await Promise.all(paths.map(async (path) => ({ path, there: await stat(path) })));
  files.sort((a, b) => b.there.mtimeMs - a.there.mtimeMs);
  let bytes = 0;
  for (const { path, there } of files) {
    bytes += there.size;
    if (bytes > MOST_BYTES) await rm(path, { force: true });
  }
}
