import { expect, test } from "vitest";
import { paintContactSheet } from "../../src/data/contact-sheet.js";

const dataset = (labels?: Uint8Array) => ({
  name: "d",
  count: 40,
  channels: 1,
  height: 1,
  width: 1,
  images: Uint8Array.from({ length: 40 }, (_, i) => 100 + i),
  ...(labels && { labels }),
});
/** The images of a sheet, row by row; they are a pixel large, and two pixels of black lie between them. */
const imagesOf = ({ width, height, data }: { width: number; height: number; data: ArrayLike<number> }) => {
  const rows: number[][] = [];
  for (let y = 2; y < height; y += 3) {
    rows.push(Array.from({ length: (width - 2) / 3 }, (_, i) => data[4 * (y * width + 2 + 3 * i)]));
  }
  return rows;
};

test("a row for each class, filled up with black", () => {
  const labels = Uint8Array.from({ length: 40 }, (_, i) => (i < 3 ? 4 : 1));
  expect(imagesOf(paintContactSheet(dataset(labels)))).toEqual([
    [103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114],
    [100, 101, 102, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ]);
});

test("without classes images from all over the data", () => {
  const rows = imagesOf(paintContactSheet(dataset()));
  expect(rows.flat().slice(0, 40)).toEqual(Array.from({ length: 40 }, (_, i) => 100 + i));
});
