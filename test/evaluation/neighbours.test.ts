import { afterAll, expect, test } from "vitest";
import { columnOf, Neighbours, type Points } from "../../src/evaluation/neighbours.js";
import { fillNormal, randomStream } from "../../src/tensors/random.js";
import { onCpu } from "../helpers/on-cpu.js";

const neighbours = new Neighbours(onCpu);
afterAll(() => neighbours.close());

const normal = (name: string, count: number, width = 4): Points => ({
  count,
  width,
  data: fillNormal(randomStream(2, name), new Float32Array(count * width)),
});
const [a, b] = [normal("a", 30), normal("b", 50)];
const rowOf = ({ width, data }: Points, i: number) => Array.from(data.subarray(i * width, (i + 1) * width));
const squared = (x: readonly number[], y: readonly number[]) =>
  x.reduce((sum, value, i) => sum + (value - y[i]) ** 2, 0);
/** All of b from nearest to farthest for row i of a. */
const ranked = (i: number) =>
  Array.from({ length: b.count }, (_, j) => [squared(rowOf(a, i), rowOf(b, j)), j] as const).sort(
    (x, y) => x[0] - y[0],
  );

test("the nearest points are those that a search finds", async () => {
  const { distances, indices } = await neighbours.nearest(a, b, 3);
  for (let i = 0; i < a.count; i++) {
    ranked(i)
      .slice(0, 3)
      .forEach(([distance, j], place) => {
        expect(indices[i * 3 + place]).toBe(j);
        expect(distances[i * 3 + place]).toBeCloseTo(distance, 4);
      });
  }
});

test("a point among others is its own nearest", async () => {
  const { distances, indices } = await neighbours.nearest(a, a, 2);
  expect(indices.filter((_, i) => i % 2 === 0)).toEqual(Array.from({ length: a.count }, (_, i) => i));
  expect(Math.max(...columnOf(distances, 2, 0))).toBeLessThan(1e-5);
  expect(Math.min(...columnOf(distances, 2, 1))).toBeGreaterThan(1e-3);
});

test("balls are counted that hold a point, in both directions, and what is nearest", async () => {
  // More than go through at once: the points of a are repeated, a thousand times.
  const times = 1000;
  const data = Float32Array.from({ length: times * a.data.length }, (_, i) => a.data[i % a.data.length]);
  const many: Points = { ...a, count: times * a.count, data };
  const radii = Float32Array.from({ length: b.count }, (_, j) => 0.5 + j / 10);
  const large = radii.map((radius) => radius + 1);
  const own = Float32Array.from({ length: many.count }, (_, i) => 0.5 + (i % a.count) / 5);
  const found = await neighbours.overlap(many, b, { own, small: radii, large });
  const distances = Array.from({ length: a.count }, (_, i) => ranked(i));
  const inside = (radii: Float32Array) =>
    distances.map((row) => row.filter(([distance, j]) => distance <= radii[j]).length);
  for (const [balls, expected] of [
    [found.smallBalls, inside(radii)],
    [found.largeBalls, inside(large)],
  ] as const) {
    expect(Array.from(balls)).toEqual(Array.from(balls, (_, i) => expected[i % a.count]));
    expect(new Set(expected).size).toBeGreaterThan(3);
  }
  const to = (j: number) => distances.map((row) => row.find((pair) => pair[1] === j)?.[0] ?? Number.NaN);
  const covering = Array.from(
    radii,
    (_, j) => times * to(j).filter((distance, i) => distance <= own[i]).length,
  );
  expect(Array.from(found.covering)).toEqual(covering);
  expect(new Set(covering).size).toBeGreaterThan(3);
  found.nearest.forEach((distance, j) => {
    expect(distance).toBeCloseTo(Math.min(...to(j)), 4);
  });
});

test("bytes are compared as they are", async () => {
  const bytes: Points = { count: 3, width: 2, data: Uint8Array.of(0, 0, 255, 0, 255, 255) };
  const query: Points = { count: 1, width: 2, data: Uint8Array.of(250, 2) };
  expect(await neighbours.nearest(query, bytes, 1)).toEqual({ distances: Float32Array.of(29), indices: [1] });
});

test("what does not go through at once goes through in parts", async () => {
  const many = normal("many", 5000, 2);
  const { indices } = await neighbours.nearest(many, many, 1);
  expect(indices).toHaveLength(5000);
  expect(indices.filter((index, i) => index !== i)).toHaveLength(0);
});
