import { Jimp } from "jimp";
import { expect, test } from "vitest";
import { encodePng } from "../../src/data/png.node.js";
import { paintSheet, type SheetOptions, type SheetShape } from "../../src/data/sheet.js";

/** The red, green and blue of every pixel of a PNG, by rows. */
async function decode(png: Uint8Array) {
  const { bitmap } = await Jimp.fromBuffer(Buffer.from(png));
  const { width, height, data } = bitmap;
  const rows = Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => [...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 3)]),
  );
  for (let alpha = 3; alpha < data.length; alpha += 4) expect(data[alpha]).toBe(255);
  return { rows, colorType: png[25] };
}

const drawSheet = async (images: Float32Array | Uint8Array, shape: SheetShape, options: SheetOptions) =>
  encodePng(paintSheet(images, shape, options));

const greys = (rows: readonly (readonly number[])[]) =>
  rows.map((row) => row.map((value) => [value, value, value]));

test("grey images lie in a grid, row by row, in black padding", async () => {
  const images = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const shape = { count: 3, channels: 1, height: 2, width: 2 };
  const { rows, colorType } = await decode(
    await drawSheet(images, shape, { range: [0, 255], padding: 1, columns: 2 }),
  );
  expect(rows).toEqual(
    greys([
      [0, 0, 0, 0, 0, 0, 0],
      [0, 1, 2, 0, 5, 6, 0],
      [0, 3, 4, 0, 7, 8, 0],
      [0, 0, 0, 0, 0, 0, 0],
      [0, 9, 10, 0, 0, 0, 0],
      [0, 11, 12, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0],
    ]),
  );
  expect(colorType).toBe(0); // greyscale
});

test("three channels are red, green and blue", async () => {
  const images = Uint8Array.from([1, 2, 30, 40, 100, 200, 5, 6, 70, 80, 90, 255]);
  const shape = { count: 2, channels: 3, height: 1, width: 2 };
  const { rows, colorType } = await decode(
    await drawSheet(images, shape, { range: [0, 255], padding: 0, columns: 2 }),
  );
  expect(rows).toEqual([
    [
      [1, 30, 100],
      [2, 40, 200],
      [5, 70, 90],
      [6, 80, 255],
    ],
  ]);
  expect(colorType).toBe(2); // RGB
});

test("values are mapped from the range, rounded and clamped", async () => {
  const images = Float32Array.from([-1, 1, 0.2, -7, 7, -0.999, Number.NaN, 0.5]);
  const shape = { count: 1, channels: 1, height: 1, width: 8 };
  const { rows } = await decode(await drawSheet(images, shape, { range: [-1, 1], padding: 0 }));
  expect(rows).toEqual(greys([[0, 255, 153, 0, 255, 0, 0, 191]]));
});

test("the grid is nearly square and the padding 2 unless told, and never wider than the images", async () => {
  const size = async (count: number, options: Partial<SheetOptions> = {}) => {
    const shape = { count, channels: 1, height: 3, width: 4 };
    const { rows } = await decode(
      await drawSheet(new Uint8Array(count * 12), shape, { range: [0, 255], ...options }),
    );
    return [rows[0].length, rows.length];
  };
  expect(await size(64)).toEqual([8 * 6 + 2, 8 * 5 + 2]);
  expect(await size(10)).toEqual([4 * 6 + 2, 3 * 5 + 2]);
  expect(await size(2, { columns: 8 })).toEqual([2 * 6 + 2, 5 + 2]);
});

const shape = { count: 2, channels: 1, height: 2, width: 2 };
const range: [number, number] = [0, 1];
test.each([
  [{ ...shape, count: 3 }, { range }, "sheet: images has 8 values, expected 12"],
  [{ ...shape, count: 0 }, { range }, "sheet: count is 0, expected at least 1"],
  [{ ...shape, channels: 2, count: 1 }, { range }, "sheet: channels is 2, expected 1 or 3"],
  [shape, { range, columns: 0 }, "sheet: columns is 0, expected a whole number from 1"],
  [shape, { range, padding: 0.5 }, "sheet: padding is 0.5, expected a whole number from 0"],
  [shape, { range: [1, 1] as [number, number] }, "sheet: range is 1 to 1, expected it to rise"],
])("refuses %o with %o", async (given, options, message) => {
  await expect(drawSheet(new Float32Array(8), given, options)).rejects.toThrow(message);
});
