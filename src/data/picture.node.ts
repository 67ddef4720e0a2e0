import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { imageSize } from "image-size";
import type { Background } from "./dataset.js";
import { decoders, Jimp } from "./jimp.node.js";
import { type Format, formats, type PictureForm } from "./picture-formats.node.js";
import { pngUntilEnd, tiffOfOnePage } from "./picture-trim.js";
import { shrunk } from "./shrink.js";

/** Larger pictures are refused before they are decoded: a file of 8 KB can contain a picture of a gigabyte. */
const MOST_MEGAPIXELS = 32;

/** A decoded picture: 4 bytes per pixel, red, green, blue and opacity. */
export interface Bitmap {
  data: Buffer;
  width: number;
  height: number;
}

/** One picture as an image of `[channels, size, size]`. */
export interface Image {
  /** On the given background, or on black. */
  readonly pixels: Uint8Array;
  /** Only for a picture with transparent pixels, if no background was given. */
  readonly drawing?: {
    readonly overWhite: Uint8Array<ArrayBuffer>;
    /** The sum of all opacities, 1 for an opaque pixel, and the sum of lumas times opacity. */
    readonly opacity: number;
    readonly luma: number;
  };
}

/**
 * Read the format, width and height in the header of a picture file.
 *
 * @throws {Error} whose message continues "the file ...".
 */
export function headOf(bytes: Uint8Array) {
  let head: ReturnType<typeof imageSize>;
  try {
    head = imageSize(bytes);
  } catch {
    throw new Error(bytes.length === 0 ? "is empty" : "is no picture, or its head is damaged");
  }
  const { width, height, type = "" } = head;
  if (!(type in formats)) throw new Error(`is ${type.toUpperCase()}, which is not read`);
  const megapixels = (width * height) / 1e6;
  if (!(width > 0 && height > 0)) throw new Error(`is ${width}x${height}, which holds nothing`);
  if (megapixels > MOST_MEGAPIXELS) {
    throw new Error(
      `is ${width}x${height}, ${megapixels.toFixed(0)} megapixels where ${MOST_MEGAPIXELS} is the limit`,
    );
  }
  return { format: type as Format, megapixels };
}

/**
 * Decode a picture of a known format. Of an animation or several pages, decode only the first.
 *
 * @throws {Error} the decoder's error.
 */
export async function decodePicture(bytes: Uint8Array<ArrayBuffer>, format: Format): Promise<Bitmap> {
  if (format === "webp") return decodeWebp(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (format) {
    case "gif":
      return (await import("./gif.node.js")).decodeGif(buffer);
    case "png":
      return decoders.png.decode(pngUntilEnd(buffer));
    case "tiff":
      return decoders.tiff.decode(Buffer.from(tiffOfOnePage(buffer).buffer));
    case "jpg": {
      const limits = { maxMemoryUsageInMB: 2048, maxResolutionInMP: 2 * MOST_MEGAPIXELS };
      // Jimp rotates a picture as its Exif data say. Few files have Exif data.
      const hasNote = buffer.subarray(0, 65_536).includes("Exif\0");
      return hasNote
        ? (await Jimp.fromBuffer(buffer, { "image/jpeg": limits })).bitmap
        : decoders.jpg.decode(buffer, limits);
    }
    default:
      return decoders[format].decode(buffer);
  }
}

let webp: Promise<typeof import("@jsquash/webp/decode.js")> | undefined;

async function decodeWebp(bytes: Uint8Array<ArrayBuffer>): Promise<Bitmap> {
  webp ??= loadWebp();
  const { default: decode } = await webp;
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { data, width, height } = await decode(copy);
  return { data: Buffer.from(data.buffer), width, height };
}

/**
 * The decoder is made for browsers: it fetches its code, which Node does not support for files, and creates ImageData.
 */
async function loadWebp() {
  const codec = await import("@jsquash/webp/decode.js");
  const path = createRequire(import.meta.url).resolve("@jsquash/webp/codec/dec/webp_dec.wasm");
  const global = globalThis as { ImageData?: unknown };
  global.ImageData ??= class {
    constructor(
      readonly data: Uint8ClampedArray,
      readonly width: number,
      readonly height: number,
    ) {}
  };
  await codec.init({ wasmBinary: new Uint8Array(readFileSync(path)).buffer });
  return codec;
}

/**
 * Convert the central square of a picture to an image.
 *
 * @throws {Error} whose message continues "the file ...": it is not a picture, is too large, or cannot be decoded.
 */
export async function imageOfPicture(
  bytes: Uint8Array<ArrayBuffer>,
  form: PictureForm,
  format: Format,
): Promise<Image> {
  const bitmap = square(await decodePicture(bytes, format));
  const side = bitmap.width;
  const over = (data: Buffer) => {
    if (side > form.size) return planes(shrunk(data, side, form.size), form.channels);
    if (side === form.size) return planes(data, form.channels);
    const picture = new Jimp({ data, width: side, height: side });
    picture.resize({ w: form.size, h: form.size });
    return planes(picture.bitmap.data, form.channels);
  };
  const drawing = drawingIn(bitmap.data);
  if (!drawing) return { pixels: over(bitmap.data) };
  const { background } = form;
  if (background) {
    layOver(bitmap.data, background);
    return { pixels: over(bitmap.data) };
  }
  const copy = Buffer.from(bitmap.data);
  layOver(copy, "white");
  layOver(bitmap.data, "black");
  return { pixels: over(bitmap.data), drawing: { ...drawing, overWhite: over(copy) } };
}

/** The central square of a picture. */
function square(bitmap: Bitmap): Bitmap {
  const { width, height } = bitmap;
  if (width === height) return bitmap;
  const side = Math.min(width, height);
  const picture = new Jimp(bitmap);
  picture.crop({ x: (width - side) >> 1, y: (height - side) >> 1, w: side, h: side });
  return picture.bitmap;
}

/** The luma of ITU-R BT.601, as in Pillow's mode L. */
const lumaOf = (red: number, green: number, blue: number) => 0.299 * red + 0.587 * green + 0.114 * blue;

/** The total opacity and luma of a picture, or undefined if it is opaque everywhere. */
function drawingIn(rgba: Uint8Array): { opacity: number; luma: number } | undefined {
  let isOpaque = true;
  for (let at = 3; at < rgba.length && isOpaque; at += 4) isOpaque = rgba[at] === 255;
  if (isOpaque) return undefined;
  let [opacity, luma] = [0, 0];
  for (let at = 0; at < rgba.length; at += 4) {
    const alpha = rgba[at + 3] / 255;
    opacity += alpha;
    luma += alpha * lumaOf(rgba[at], rgba[at + 1], rgba[at + 2]);
  }
  return { opacity, luma };
}

function layOver(rgba: Uint8Array, background: Background): void {
  const behind = background === "white" ? 255 : 0;
  for (let at = 0; at < rgba.length; at += 4) {
    const alpha = rgba[at + 3];
    if (alpha === 255) continue;
    for (let channel = at; channel < at + 3; channel++) {
      rgba[channel] = Math.round((rgba[channel] * alpha + behind * (255 - alpha)) / 255);
    }
    rgba[at + 3] = 255;
  }
}

/** `[height, width, RGBA]` to `[channels, height, width]`. */
function planes(rgba: Uint8Array, channels: number): Uint8Array<ArrayBuffer> {
  const area = rgba.length / 4;
  const result = new Uint8Array(channels * area);
  for (let pixel = 0; pixel < area; pixel++) {
    const [red, green, blue] = [rgba[4 * pixel], rgba[4 * pixel + 1], rgba[4 * pixel + 2]];
    if (channels === 1) {
      result[pixel] = Math.round(lumaOf(red, green, blue));
    } else {
      result[pixel] = red;
      result[area + pixel] = green;
      result[2 * area + pixel] = blue;
    }
  }
  return result;
}
