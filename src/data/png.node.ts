import type { Picture } from "./sheet.js";

/** PNG's colour types, by number of channels. */
const colorTypes: Record<number, number> = { 1: 0, 3: 2 };

/** Encode a picture as a PNG, grey or coloured depending on its channels. */
export async function encodePng({ width, height, channels, data }: Picture): Promise<Uint8Array> {
  const { Jimp } = await import("./jimp.node.js");
  const bitmap = Jimp.fromBitmap({ data, width, height });
  return new Uint8Array(await bitmap.getBuffer("image/png", { colorType: colorTypes[channels] }));
}
