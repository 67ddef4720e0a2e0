import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { drawDigits } from "../../src/data/drawn.js";
import { digitShapes } from "../../src/data/drawn-shapes.js";
import { loadDataset } from "../../src/data/load.node.js";

const side = 28;
const area = side * side;
const { images, labels } = drawDigits({ count: 2_000, seed: 5 });
const imageAt = (index: number) => images.subarray(index * area, (index + 1) * area);
/** What toEqual would say, in a thousandth of its time. */
const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
const each = Array.from(labels, (_, index) => imageAt(index));

describe("drawDigits", () => {
  test("depends on the seed and on the place in the series only", () => {
    expect(isSame(drawDigits({ count: 2_000, seed: 5 }).images, images)).toBe(true);
    const part = drawDigits({ count: 33, seed: 5, first: 17 });
    expect(isSame(part.images, images.subarray(17 * area, 50 * area))).toBe(true);
    expect(part.labels).toEqual(labels.subarray(17, 50));
    expect(isSame(drawDigits({ count: 2_000, seed: 6 }).images, images)).toBe(false);
  });

  test("every ten digits are the ten digits, in changing order", () => {
    const orders = Array.from({ length: 200 }, (_, block) => labels.slice(10 * block, 10 * block + 10));
    for (const order of orders) expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(orders.map(String)).size).toBeGreaterThan(190);
  });

  test("no two images are the same", () => {
    expect(new Set(each.map(String)).size).toBe(2_000);
  });

  test("are white on black, as bold as MNIST", () => {
    const mean = images.reduce((sum, value) => sum + value, 0) / images.length / 255;
    expect(mean).toBeGreaterThan(0.1); // MNIST: 0.131
    expect(mean).toBeLessThan(0.15);
    const inked = images.reduce((count, value) => count + (value > 0 ? 1 : 0), 0) / images.length;
    expect(inked).toBeGreaterThan(0.16); // MNIST: 0.191
    expect(inked).toBeLessThan(0.22);
    // Even the thinnest pen leaves a stroke that is clearly seen.
    for (const image of each) expect(Math.max(...image)).toBeGreaterThan(150);
  });

  test("lie in the middle: about 20 pixels long, their centre of mass near the image's", () => {
    for (const image of each) {
      let [mass, massX, massY, left, right, top, bottom] = [0, 0, 0, side, -1, side, -1];
      image.forEach((value, at) => {
        const [x, y] = [at % side, Math.floor(at / side)];
        mass += value;
        massX += value * (x + 0.5);
        massY += value * (y + 0.5);
        if (value < 64) return;
        [left, right, top, bottom] = [
          Math.min(left, x),
          Math.max(right, x),
          Math.min(top, y),
          Math.max(bottom, y),
        ];
      });
      expect(Math.hypot(massX / mass - 14, massY / mass - 14)).toBeLessThan(2.5);
      const extent = Math.max(right - left, bottom - top) + 1;
      expect(extent).toBeGreaterThanOrEqual(16);
      expect(extent).toBeLessThanOrEqual(22);
    }
  });

  test("can be told apart: most lie nearest to the mean image of their own digit", () => {
    const means = Array.from({ length: 10 }, () => new Float64Array(area));
    const half = 1_000;
    for (let index = 0; index < half; index++) {
      const mean = means[labels[index]];
      each[index].forEach((value, at) => {
        mean[at] += value / (half / 10);
      });
    }
    const distance = (image: Uint8Array, mean: Float64Array) =>
      image.reduce((sum, value, at) => sum + (value - mean[at]) ** 2, 0);
    let right = 0;
    for (let index = half; index < 2 * half; index++) {
      const distances = means.map((mean) => distance(each[index], mean));
      if (distances.indexOf(Math.min(...distances)) === labels[index]) right++;
    }
    expect(right / half).toBeGreaterThan(0.75); // MNIST: 0.82
  });

  test("import nothing that a browser lacks", async () => {
    const importsOf = async (file: string) => {
      const source = await readFile(new URL(`../../src/data/${file}`, import.meta.url), "utf8");
      return [...source.matchAll(/(?:from|import\() ?"([^"]+)"/g)].map(([, name]) => name);
    };
    expect(await importsOf("drawn.ts")).toEqual(["../tensors/random.js", "./drawn-shapes.js"]);
    expect(await importsOf("drawn-shapes.ts")).toEqual([]);
  });
});

test("every shape is made of finite points inside the digit's box", () => {
  expect(digitShapes).toHaveLength(10);
  for (const shapes of digitShapes) {
    expect(shapes.length).toBeGreaterThanOrEqual(3);
    for (const { weight, strokes } of shapes) {
      expect(weight).toBeGreaterThan(0);
      for (const stroke of strokes) {
        expect(stroke.length).toBeGreaterThanOrEqual(2);
        for (const { x, y } of stroke) expect(x >= 0 && x <= 100 && y >= 0 && y <= 100).toBe(true);
      }
    }
  }
});

describe("data drawn", () => {
  test("is 60,000 digits of the seed, drawn within seconds", async () => {
    const told: (number | undefined)[] = [];
    const started = performance.now();
    const dataset = await loadDataset("drawn", { seed: 5, report: (_, done) => told.push(done) });
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(dataset).toMatchObject({ name: "drawn", count: 60_000, channels: 1, height: 28, width: 28 });
    expect(dataset.images).toHaveLength(60_000 * area);
    expect(isSame(dataset.images.subarray(0, images.length), images)).toBe(true);
    expect(dataset.labels!.subarray(0, 2_000)).toEqual(labels);
    expect(told).toEqual(Array.from({ length: 60 }, (_, slice) => 1_000 * (slice + 1)));
  });

  test("has one form only", async () => {
    await expect(loadDataset("drawn", { seed: 1, size: 64, channels: 3 })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(
        "data drawn: its images are 1x28x28 (channels x height x width), not 3x64x64",
      ),
    });
  });

  test("can be aborted", async () => {
    const stop = new AbortController();
    const reason = new Error("stopped by the user");
    const report = () => stop.abort(reason);
    await expect(loadDataset("drawn", { seed: 1, report, signal: stop.signal })).rejects.toBe(reason);
  });
});

test.each(["", "mnsit", "toString", "/no/such/folder"])("data %j is refused", async (spec) => {
  await expect(loadDataset(spec, { seed: 1 })).rejects.toMatchObject({
    kind: "usage",
    message: expect.stringMatching(
      /^data .*: is no data source and no folder; .*choose mnist, fashion-mnist, kmnist, emnist-letters, .*, drawn, or a folder of images or IDX files, also as \.zip, \.tar or \.parquet$/,
    ),
  });
});
