import { expect, test } from "vitest";
import { Adapter, resampling } from "../../src/evaluation/adapter.js";
import { onCpu } from "../helpers/on-cpu.js";

test.each([
  [28, 28],
  [32, 28],
  [56, 28],
  [8, 28],
])("weights from %i to %i pixels add up to 1, and turned round they are the same", (from, to) => {
  const weights = resampling(from, to);
  for (let j = 0; j < to; j++) {
    const column = Array.from({ length: from }, (_, i) => weights[i * to + j]);
    expect(column.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    const mirrored = Array.from({ length: from }, (_, i) => weights[(from - 1 - i) * to + (to - 1 - j)]);
    mirrored.forEach((weight, i) => {
      expect(weight).toBeCloseTo(column[i], 6);
    });
  }
});

test("colour becomes grey, a slope stays one, rows and columns are not exchanged", async () => {
  const adapter = await Adapter.open(
    { channels: 3, height: 4, width: 2 },
    { channels: 1, height: 2, width: 2 },
    onCpu,
  );
  const plane = [0, 100, 0, 100, 40, 140, 40, 140];
  const images = Uint8Array.from([...plane, ...plane, ...plane.map((value) => value + 30)]);
  const adapted = await adapter.adapted({ name: "", count: 1, channels: 3, height: 4, width: 2, images });
  await adapter.close();
  expect(adapted).toMatchObject({ channels: 1, height: 2, width: 2 });
  // Above 0 and 40 mix 7 to 1, by a triangle of reach 2: (1·0.75 + 1·0.75 + 0.25 more of what is below).
  const [a, b, c, d] = adapted.images;
  expect(b - a).toBe(100);
  expect(d - c).toBe(100);
  expect(c - a).toBeGreaterThan(20);
  expect(a + c).toBe(2 * 30);
});
