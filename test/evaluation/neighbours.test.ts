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

test("balls are counted that hold a point", async () => {
  const radii = Float32Array.from({ length: b.count }, (_, j) => 0.5 + j / 10);
  const counted = await neighbours.balls(a, b, radii);
  const expected = Array.from(
    { length: a.count },
    (_, i) => ranked(i).filter(([distance, j]) => distance <= radii[j]).length,
  );
  expect(Array.from(counted)).toEqual(expected);
  expect(new Set(expected).size).toBeGreaterThan(3);
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
