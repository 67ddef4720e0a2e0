import { expect, test } from "vitest";
import { enlarged, withLabels } from "../../src/data/margins.js";
import { paintSheet } from "../../src/data/sheet.js";
import { arrange, labelsOf } from "../../src/export/layout.js";
import { floatsIn, tensorIn } from "../../src/tensors/tensor.js";

const generator = { latent: 3, classes: 4 };
const rowsOf = (data: Float32Array) =>
  Array.from({ length: data.length / 3 }, (_, i) => Array.from(data.subarray(3 * i, 3 * i + 3)));

test("a grid of styles has a class in each row and a latent in each column", () => {
  const grid = arrange("styles", generator, { columns: 5, seed: 2 }, "g.onnx");
  expect([grid.count, grid.columns]).toEqual([20, 5]);
  const z = rowsOf(floatsIn(grid.feeds, "z"));
  for (let i = 0; i < 20; i++) expect(z[i]).toEqual(z[i % 5]);
  expect(new Set(z.map(String)).size).toBe(5);
  expect(Array.from(tensorIn(grid.feeds, "label").data, Number)).toEqual(grid.classes);
  expect(labelsOf(grid)).toEqual({ side: "left", classes: [0, 1, 2, 3] });
  expect(() => arrange("styles", { latent: 3 }, { seed: 2 }, "g.onnx")).toThrow(
    "style grid: g.onnx has no classes; choose a model with classes, or leave it out",
  );
});

test("each row of a walk begins where the one above ends, and keeps its class", () => {
  const walk = arrange("walk", generator, { columns: 4, seed: 2, classes: [3, 1] }, "g.onnx");
  const z = rowsOf(floatsIn(walk.feeds, "z"));
  z[4].forEach((value, i) => {
    expect(value).toBeCloseTo(z[3][i], 5);
  });
  expect(new Set(z.map((row) => row.map((value) => value.toFixed(4)).join())).size).toBe(7);
  expect(walk.classes).toEqual([3, 3, 3, 3, 1, 1, 1, 1]);
});

test("samples have a column for each class, and labels where columns or rows have one class", () => {
  const samples = (options: object) => arrange("samples", generator, { seed: 1, ...options }, "g.onnx");
  expect(labelsOf(samples({ count: 10 }))).toEqual({ side: "top", classes: [0, 1, 2, 3] });
  // Of two classes, each has four of the eight columns.
  expect(samples({ count: 64, classes: [0, 3] })).toMatchObject({ count: 64, columns: 8 });
  expect(labelsOf(samples({ count: 64, classes: [0, 3] }))?.classes).toEqual([0, 3, 0, 3, 0, 3, 0, 3]);
  expect(labelsOf(samples({ count: 10, columns: 3 }))).toBeUndefined();
  expect(labelsOf(samples({ count: 4, columns: 1, classes: [2, 1] }))?.side).toBe("left");
  expect(labelsOf(samples({ count: 8, classes: [2] }))).toBeUndefined();
  expect(labelsOf(arrange("samples", { latent: 3 }, { count: 9, seed: 1 }, "g.onnx"))).toBeUndefined();
});

test("an enlarged sheet has squares for pixels, and its labels stand in the margin before the right row", () => {
  const image = Uint8Array.from({ length: 2 * 4 }, (_, i) => 10 * (i + 1));
  const sheet = paintSheet(
    image,
    { count: 2, channels: 1, height: 2, width: 2 },
    { range: [0, 255], columns: 1 },
  );
  const large = enlarged(sheet, 3);
  expect([large.width, large.height]).toEqual([3 * sheet.width, 3 * sheet.height]);
  const at = (picture: typeof sheet, x: number, y: number) => picture.data[4 * (y * picture.width + x)];
  for (let y = 0; y < large.height; y++) {
    for (let x = 0; x < large.width; x++) {
      expect(at(large, x, y)).toBe(at(sheet, Math.floor(x / 3), Math.floor(y / 3)));
    }
  }
  const labelled = withLabels(large, { side: "left", texts: ["1", "L"] }, 12, 1);
  const left = labelled.width - large.width;
  expect(at(labelled, left + 7, 7)).toBe(at(large, 7, 7));
  const column = (x: number) => Array.from({ length: labelled.height }, (_, y) => at(labelled, x, y));
  // The feet of the 1, and the stem of the L.
  const lit = column(2).flatMap((value, y) => (value === 255 ? [y] : []));
  expect(lit).toEqual([5, 8, 16, 17, 18, 19, 20]);
});
