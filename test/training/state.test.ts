import { expect, test } from "vitest";
import { tensorIn } from "../../src/tensors/tensor.js";
import { initialState } from "../../src/training/state.js";
import { placesOf, tinyArtifacts, tinyDesign } from "../helpers/design.js";

const image = { channels: 1, height: 8, width: 8 };
const design = tinyDesign({ latent: 36, width: 49 }, image);
const places = placesOf(tinyArtifacts(design));
const state = initialState(design, 3);
const valuesOf = ({ state: name, offset, size }: (typeof places)[number], from = state) =>
  Array.from(tensorIn(from, name).data.subarray(offset, offset + size), Number);

test.each(places.map((place) => [place.name, place] as const))(
  "%s starts as in PyTorch, uniform within ±1/√fan_in",
  (name, place) => {
    const weight = places.find((other) => other.name === name.replace(/bias$/, "weight"))!;
    const bound = Math.fround(1 / Math.sqrt(weight.shape[1]));
    const values = valuesOf(place);
    for (const value of values) expect(Math.abs(value)).toBeLessThanOrEqual(bound);
    if (values.length < 40) return;
    expect(Math.min(...values)).toBeLessThan(-0.85 * bound);
    expect(Math.max(...values)).toBeGreaterThan(0.85 * bound);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    // The mean of n such numbers has the standard deviation bound / √(3n); this is five of them.
    expect(Math.abs(mean)).toBeLessThan((5 * bound) / Math.sqrt(3 * values.length));
    expect(new Set(values).size).toBeGreaterThan(0.99 * values.length);
  },
);

test("parameters fill their vectors; everything else starts at zero", () => {
  for (const network of ["generator", "discriminator"]) {
    const own = places.filter((place) => place.state === `${network}/parameters`);
    const size = own.reduce((sum, place) => sum + place.size, 0);
    expect(tensorIn(state, `${network}/parameters`).shape).toEqual([size]);
    for (const place of own) expect(place.size).toBe(place.shape.reduce((product, dim) => product * dim, 1));
  }
  const others = [...state].filter(([name]) => !name.endsWith("/parameters"));
  expect(others.map(([name]) => name)).toContain("generator/first_moment");
  for (const [, { data }] of others)
    expect(Array.from(data, Number).every((value) => value === 0)).toBe(true);
});

test("equal seeds start equal, others do not, and no parameter starts like another", () => {
  expect(initialState(design, 3)).toEqual(state);
  const other = initialState(design, 4);
  for (const place of places) expect(valuesOf(place, other)).not.toEqual(valuesOf(place));
  expect(new Set(places.map((place) => valuesOf(place)[0])).size).toBe(places.length);
});
