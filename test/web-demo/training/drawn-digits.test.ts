import { expect, test } from "vitest";
import { chosen } from "../../../src/data/dataset.js";
import { drawDigits } from "../../../src/data/drawn.js";
import { firstOf } from "../../../src/training/batches.js";
import { drawnDataset } from "../../../web-demo/training/drawn-digits.js";

test("digits that are drawn when they are needed are those that are drawn at once", () => {
  const dataset = drawnDataset(5);
  const all = drawDigits({ count: 300, seed: 5 });
  const places = Uint32Array.of(299, 7, 7, 0);
  const { images, labels } = chosen(dataset, places);
  for (const [i, place] of places.entries()) {
    const [from, to] = [784 * place, 784 * (place + 1)];
    expect(images.subarray(784 * i, 784 * (i + 1))).toEqual(all.images.subarray(from, to));
    expect(labels?.[i]).toBe(all.labels[place]);
  }
  // Nothing is read that was not drawn.
  for (let i = 0; i < 20; i++) {
    expect(Math.max(...firstOf(dataset, 5, 20).images.subarray(784 * i, 784 * (i + 1)))).toBeGreaterThan(100);
  }
  expect(drawnDataset(5)).toBe(dataset);
  expect(drawnDataset(6)).not.toBe(dataset);
});
