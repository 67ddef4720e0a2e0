import { expect, test } from "vitest";
import { decodePicture, headOf, imageOfPicture } from "../../src/data/picture.node.js";
import { pngUntilEnd, tiffOfOnePage } from "../../src/data/picture-trim.js";
import { fillUniform, randomStream } from "../../src/tensors/random.js";
import { apngOf, flatRows, jpegHead, pictureOf, pngBomb, pngOf } from "../helpers/pictures.js";

const form = { size: 4, channels: 3 as const };
/** What becomes of a file that is (10, 200, 30) everywhere. */
const green = [...Array(16).fill(10), ...Array(16).fill(200), ...Array(16).fill(30)];
const rows = flatRows(0x0ac81eff);
const whole = await pngOf(rows);
const webp = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

/** A TIFF file whose first page is followed by one that cannot be decoded. */
async function tiffOfTwoPages(): Promise<Uint8Array> {
  const one = await pictureOf(rows).getBuffer("image/tiff");
  const view = new DataView(one.buffer, one.byteOffset);
  const isLittle = one[0] === 0x49;
  const directory = view.getUint32(4, isLittle);
  view.setUint32(directory + 2 + 12 * view.getUint16(directory, isLittle), one.length, isLittle);
  return Buffer.concat([one, Buffer.from([0xff, 0xff])]);
}

const imageOf = async (bytes: Uint8Array) => {
  const own = new Uint8Array(bytes);
  return imageOfPicture(own, form, headOf(own).format);
};

test.each<[about: string, bytes: Uint8Array]>([
  ["PNG", whole],
  ["PNG with bytes after its end", Buffer.concat([whole, Buffer.from("appended by a program")])],
  ["animated PNG", apngOf(whole)],
  ["lossless WebP", webp("UklGRh4AAABXRUJQVlA4TBEAAAAvA8AAAAdQ5CrUo/+BiOh/AAA=")],
  ["BMP", await pictureOf(rows).getBuffer("image/bmp")],
  ["GIF", await pictureOf(rows).getBuffer("image/gif")],
  ["TIFF", await pictureOf(rows).getBuffer("image/tiff")],
  ["TIFF of two pages", await tiffOfTwoPages()],
])("%s is read", async (_, bytes) => {
  const { pixels, drawing } = await imageOf(bytes);
  expect([...pixels]).toEqual(green);
  expect(drawing).toBeUndefined();
});

test("JPEG is read, nearly as it was", async () => {
  const { pixels } = await imageOf(await pictureOf(rows).getBuffer("image/jpeg"));
  pixels.forEach((value, i) => {
    expect(Math.abs(value - green[i])).toBeLessThan(3);
  });
});

test("a transparent picture is laid over both backgrounds, or over the one that is chosen", async () => {
  // Black at half opacity, once as PNG and once as WebP.
  for (const file of [
    await pngOf(flatRows(0x00000080)),
    webp("UklGRhoAAABXRUJQVlA4TA4AAAAvA8AAEAcQEQUMRET/Aw=="),
  ]) {
    const bytes = new Uint8Array(file);
    const { format } = headOf(bytes);
    const { pixels, drawing } = await imageOfPicture(bytes, form, format);
    expect([...pixels]).toEqual(Array(48).fill(0));
    expect([...drawing!.overWhite]).toEqual(Array(48).fill(127));
    expect(drawing!.opacity).toBeCloseTo((16 * 128) / 255);
    expect(drawing!.luma).toBe(0);
    const chosen = await imageOfPicture(bytes, { ...form, background: "white" }, format);
    expect([...chosen.pixels]).toEqual(Array(48).fill(127));
    expect(chosen.drawing).toBeUndefined();
  }
});

test.each<[about: string, bytes: Uint8Array, message: string]>([
  ["a small file of many pixels", pngBomb(8000, 8000), "is 8000x8000, 64 megapixels where 32 is the limit"],
  ["a large photograph", jpegHead(12_000, 9_000), "is 12000x9000, 108 megapixels where 32 is the limit"],
  ["nothing", new Uint8Array(), "is empty"],
  ["a text", Buffer.from("hello"), "is no picture, or its head is damaged"],
  ["a drawing", Buffer.from('<svg width="4" height="4"></svg>'), "is SVG, which is not read"],
])("%s is refused by its head", async (_, bytes, message) => {
  expect(() => headOf(bytes)).toThrow(message);
});

test("a GIF whose codes fill their table is read as it was", async () => {
  const random = randomStream(1, "pixels");
  const grey = Array.from(fillUniform(random, new Float32Array(64 * 256)), (u) => Math.floor(200 * u));
  const noise = Array.from({ length: 64 }, (_, y) =>
    grey.slice(256 * y, 256 * (y + 1)).map((value) => (value * 0x01010100 + 0xff) >>> 0),
  );
  const { data } = await decodePicture(new Uint8Array(await pictureOf(noise).getBuffer("image/gif")), "gif");
  // Jimp chooses the colours of the file, which may be one off.
  const off = grey.filter((value, pixel) => Math.abs(data[4 * pixel] - value) > 1);
  expect(off).toEqual([]);
});

test.each([
  // omggif, which decodes GIF, does not return from this.
  ["whose codes name themselves", "0206928f79c1ed5c003b", "its code 12 is not in its table"],
  ["that is cut off", "0206928f79", "Invalid block size"],
  ["with codes of 9 bits at first", "0906928f79c1ed5c003b", "its codes begin with 9 bits"],
])("a GIF %s is refused", async (_, data, message) => {
  const head = "47494638396106000500800000336699fecbe62c000000000600050000";
  await expect(decodePicture(new Uint8Array(Buffer.from(head + data, "hex")), "gif")).rejects.toThrow(
    message,
  );
});

test("a PNG without an end, and a TIFF without a directory, are left as they are", async () => {
  const short = whole.subarray(0, whole.length - 5);
  expect(pngUntilEnd(short)).toEqual(short);
  expect(pngUntilEnd(whole)).toEqual(whole);
  const head = Uint8Array.from([0x49, 0x49, 42, 0, 255, 0, 0, 0]);
  expect(tiffOfOnePage(head)).toEqual(head);
  await expect(decodePicture(new Uint8Array(short), "png")).rejects.toThrow();
});
