import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { GanOnnxError, messageOf } from "../error.js";
import { readBytes } from "../files.node.js";
import { type DataOptions, type Dataset, mnistForm } from "./dataset.js";

/** Class numbers are kept in a byte. */
const maxClasses = 256;

/** Half a second's work or so between two reports. */
const reportEvery = 100;

type Jimp = typeof import("./jimp.node.js")["Jimp"];

/**
 * The PNG and JPEG images in a folder and its sub-folders, in the order of their paths.
 *
 * Each image is cropped to its central square ("cover"), resized to `size` x `size` and, for one channel, made grey.
 * Transparent pixels are laid over black. If every image lies in a sub-folder, its class is the place of that (topmost)
 * sub-folder in their sorted order; images directly in the folder, or more than 256 sub-folders, mean no labels.
 * Files and folders whose name starts with a dot are left out, and links to folders.
 *
 * @param options `size` in pixels (28 unless told) and `channels` (1 unless told).
 * @throws {GanOnnxError} naming the folder when it has no images, or the first file that cannot be read or decoded.
 */
export async function readImageFolder(folder: string, options: DataOptions): Promise<Dataset> {
  const { channels = mnistForm.channels, size = mnistForm.height, report, signal } = options;
  const paths = await imagePaths(folder);
  const count = paths.length;
  if (count === 0) {
    throw new GanOnnxError({
      what: "has no images",
      where: folder,
      fix: "name a folder of PNG or JPEG images, or of IDX files under MNIST's names",
    });
  }
  const { Jimp } = await import("./jimp.node.js");
  const images = allocate(folder, [count, channels, size, size]);
  for (const [index, path] of paths.entries()) {
    signal?.throwIfAborted();
    const pixels = await decodeSquare(Jimp, join(folder, path), size);
    images.set(planes(pixels, channels), index * channels * size * size);
    if ((index + 1) % reportEvery === 0 || index + 1 === count) report?.("reading images", index + 1, count);
  }
  const labels = labelsOf(paths);
  return { name: folder, count, channels, height: size, width: size, images, ...(labels && { labels }) };
}

/** Relative paths, sorted by character code as everywhere, not by the language of the machine. */
async function imagePaths(folder: string): Promise<string[]> {
  // With types, because without them Node 20 follows links to folders, and around in a loop.
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new GanOnnxError({
      what: `cannot be listed (${messageOf(cause)})`,
      where: folder,
      fix: "name a folder that can be read, with all in it",
      cause,
    });
  });
  const isHidden = (path: string) => path.split(sep).some((part) => part.startsWith("."));
  return entries
    .filter((entry) => !entry.isDirectory() && /\.(png|jpe?g)$/i.test(entry.name))
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .filter((path) => !isHidden(path))
    .sort();
}

function allocate(folder: string, shape: readonly number[]): Uint8Array {
  const bytes = shape.reduce((product, dim) => product * dim, 1);
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new GanOnnxError({
      what: `its images at ${shape.join(" x ")} take ${(bytes / 1e9).toFixed(1)} GB, more than can be had`,
      where: folder,
      fix: "choose a smaller size or fewer images",
      cause,
    });
  }
}

/** 2 before 10. */
const naturally = new Intl.Collator("en", { numeric: true }).compare as (a?: string, b?: string) => number;

function labelsOf(paths: readonly string[]): Uint8Array | undefined {
  const folders = paths.map((path) => (path.includes(sep) ? path.split(sep, 1)[0] : undefined));
  const classes = [...new Set(folders)];
  if (classes.includes(undefined) || classes.length > maxClasses) return undefined;
  classes.sort(naturally);
  const numbers = new Map(classes.map((name, number) => [name, number]));
  return Uint8Array.from(folders, (name) => numbers.get(name)!);
}

/** The central square of an image at `size` x `size`, as `[size, size, 4]` RGBA with every pixel opaque. */
async function decodeSquare(Jimp: Jimp, path: string, size: number): Promise<Uint8Array> {
  const bytes = await readBytes(path);
  try {
    const image = await Jimp.fromBuffer(bytes.buffer);
    const { width, height } = image;
    const side = Math.min(width, height);
    if (width !== height) {
      image.crop({ x: (width - side) >> 1, y: (height - side) >> 1, w: side, h: side });
    }
    layOverBlack(image.bitmap.data);
    if (side !== size) image.resize({ w: size, h: size });
    return image.bitmap.data;
  } catch (cause) {
    throw new GanOnnxError({
      what: `cannot be decoded as PNG or JPEG (${messageOf(cause)})`,
      where: path,
      fix: "repair or remove the file",
      cause,
    });
  }
}

function layOverBlack(rgba: Uint8Array): void {
  for (let at = 0; at < rgba.length; at += 4) {
    const alpha = rgba[at + 3];
    if (alpha === 255) continue;
    for (let channel = at; channel < at + 3; channel++)
      rgba[channel] = Math.round((rgba[channel] * alpha) / 255);
    rgba[at + 3] = 255;
  }
}

/** `[height, width, RGBA]` to `[channels, height, width]`; grey is the luma of ITU-R BT.601, as in Pillow's mode L. */
function planes(rgba: Uint8Array, channels: number): Uint8Array {
  const area = rgba.length / 4;
  const result = new Uint8Array(channels * area);
  for (let pixel = 0; pixel < area; pixel++) {
    const [red, green, blue] = [rgba[4 * pixel], rgba[4 * pixel + 1], rgba[4 * pixel + 2]];
    if (channels === 1) {
      result[pixel] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    } else {
      result[pixel] = red;
      result[area + pixel] = green;
      result[2 * area + pixel] = blue;
    }
  }
  return result;
}
