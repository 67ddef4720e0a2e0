import { describe, expect, test } from "vitest";
import { smoothed, ticksAround } from "../../../web-demo/ui/curves.js";

const bin = (value: number, count = 1) => ({ low: value, high: value, sum: count * value, count });

describe("curves", () => {
  test.each([
    [0, 1, [0, 0.5, 1]],
    [0, 5.7, [0, 2, 4, 6]],
    [-1.3, 0.2, [-1.5, -1, -0.5, 0, 0.5]],
    [1, 47_000, [0, 20_000, 40_000, 60_000]],
    [0.516, 0.5229, [0.516, 0.518, 0.52, 0.522, 0.524]],
    [-2e-7, 2e-7, [-2e-7, -1e-7, 0, 1e-7, 2e-7]],
  ])("have round ticks around %f to %f", (from, to, ticks) => {
    expect(ticksAround(from, to)).toEqual(ticks);
  });

  test("are smoothed over what is around, by how many steps a bin has, and keep gaps", () => {
    const few = [1, 5, 2].map((value) => bin(value));
    expect(smoothed(few)).toEqual([1, 5, 2]);
    const many = Array.from({ length: 50 }, (_, i) => (i === 20 ? undefined : bin(i % 2)));
    const curve = smoothed(many);
    expect(curve[10]).toBe(0.5);
    expect(curve[20]).toBeUndefined();
    expect(curve[21]).toBeCloseTo(2 / 3, 12);
    expect(smoothed([...many.slice(0, 48), bin(0), bin(1, 9)])[49]).toBeCloseTo(18 / 19, 12);
  });
});
