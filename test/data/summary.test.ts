import { expect, test } from "vitest";
import type { Dataset } from "../../src/data/dataset.js";
import { describeData, rangeWarning, summaryOf } from "../../src/data/summary.js";

const dataset = (images: readonly number[], more: Partial<Dataset> = {}): Dataset => ({
  name: "d",
  count: images.length,
  channels: 1,
  height: 1,
  width: 1,
  images: Uint8Array.from(images),
  ...more,
});

test("two lines say what data are", () => {
  const labels = Uint8Array.of(0, 2, 2);
  const classNames = ["cat", "dog", "owl", "yak"];
  const { classes, ...summary } = summaryOf(dataset([7, 9, 200], { labels, classNames }));
  expect(summary).toEqual({ count: 3, form: [1, 1, 1], low: 7, high: 200, mean: 72 });
  expect(describeData("pets", { classes, ...summary })).toEqual([
    "pets: 3 images of 1x1 grey, 4 classes (cat: 1, dog: 0, owl: 2, yak: 0)",
    "values from 7 to 200 (of 0 to 255), mean 72.0",
  ]);
  expect(summaryOf(dataset([1, 2], { labels: Uint8Array.of(1, 0) })).classes).toEqual([
    { name: "0", count: 1 },
    { name: "1", count: 1 },
  ]);
  expect(describeData("d", summaryOf(dataset([1, 2])))[0]).toBe("d: 2 images of 1x1 grey, no classes");
});

test("values that are all alike are an error, a narrow range is a warning", () => {
  const warningOf = (...images: number[]) => rangeWarning("d", summaryOf(dataset(images)));
  expect(() => warningOf(5, 5)).toThrow(
    "data d: every pixel of every image is 5: there is nothing to learn; look",
  );
  expect(warningOf(0, 1)).toBe(
    "warning: the values of d go from 0 to 1 only, 0.4% of the range; are they meant to be scaled to 0 to 255?",
  );
  expect(warningOf(100, 105)).toMatch(/^warning: .* 100 to 105 only, 2\.0%/);
  expect(warningOf(100, 106)).toBeUndefined();
});
