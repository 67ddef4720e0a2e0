import { extname } from "node:path";
import type { Background } from "./dataset.js";

/** The supported formats, by the names of `image-size`. */
export const formats = {
  png: "PNG",
  jpg: "JPEG",
  webp: "WebP",
  bmp: "BMP",
  gif: "GIF",
  tiff: "TIFF",
} as const;
export type Format = keyof typeof formats;

/** The formats, for messages. */
export const formatNames = Object.values(formats)
  .join(", ")
  .replace(/, (\w+)$/, " and $1");

/** The extensions of pictures. The format of a file is detected from its content. */
export const pictureExtensions: ReadonlySet<string> = new Set([
  ".png",
  ".apng",
  ".jpg",
  ".jpeg",
  ".jpe",
  ".jfif",
  ".webp",
  ".bmp",
  ".dib",
  ".gif",
  ".tif",
  ".tiff",
]);

/** Whether a file has the name of a picture. */
export const isPicture = (name: string) => pictureExtensions.has(extname(name).toLowerCase());

/** The form of the images that pictures are converted to. */
export interface PictureForm {
  readonly size: number;
  readonly channels: 1 | 3;
  /** The background of transparent pixels. If it is not given, both versions are made. */
  readonly background?: Background;
}
