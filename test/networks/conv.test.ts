import { describe, expect, test } from "vitest";
import { GanOnnxError } from "../../src/error.js";
import { input } from "../../src/graph/index.js";
import {
  bind,
  convDiscriminator,
  convGenerator,
  declarationsOf,
  type Network,
} from "../../src/networks/index.js";
import { colour, grey } from "../helpers/recipes.js";

/** A network's functions on inputs of its own. */
function traced<F>(network: Network<F>, training = true): F {
  const { parameters, buffers } = declarationsOf(network);
  const inputs = (declared: typeof buffers) =>
    new Map(declared.map(({ name, shape }) => [name, input(name, "float32", shape)] as const));
  const derived = (_: string, compute: () => ReturnType<typeof input>) => compute();
  return bind(network, inputs(parameters), { training, buffers: inputs(buffers), derived }).forward;
}

const z = input("z", "float32", ["batch", 10]);
const label = input("label", "int64", ["batch"]);

describe.each([
  [grey(28), 1],
  [grey(28), 2],
  [colour(28), 2],
  [grey(32), 3],
  [colour(32), 1],
  [colour(32), 3],
])("images %o halved %d times", (image, depth) => {
  const { channels, height, width } = image;

  test.each([undefined, 7])("are drawn from latents, and judged (%s classes)", (classes) => {
    const size = { width: 4, depth, classes };
    const [generator, discriminator] = [convGenerator(10, image, size), convDiscriminator(image, size)];
    for (const training of [true, false]) {
      const drawn = traced(generator, training)(z, classes === undefined ? undefined : label);
      expect(drawn.shape).toEqual(["batch", channels, height, width]);
      const judge = traced(discriminator, training);
      expect(judge(drawn, classes === undefined ? undefined : label).shape).toEqual(["batch", 1]);
      const flat = input("x", "float32", ["batch", channels * height * width]);
      expect(judge(flat, classes === undefined ? undefined : label).shape).toEqual(["batch", 1]);
    }
  });

  test("have twice the channels after each halving, once more pixels than before", () => {
    const shapes = (network: Network) =>
      Object.fromEntries(declarationsOf(network).parameters.map(({ name, shape }) => [name, shape]));
    const g = shapes(convGenerator(10, image, { width: 4, depth, classes: 7 }));
    const d = shapes(convDiscriminator(image, { width: 4, depth, classes: 7 }));
    const [smallest, deepest] = [(width / 2 ** depth) ** 2, 4 * 2 ** (depth - 1)];
    expect(g["fc.weight"]).toEqual([deepest * smallest, 17]);
    expect(g[`up${depth}.weight`]).toEqual([4, channels, 4, 4]);
    expect(d["down1.weight"]).toEqual([4, channels + 7, 4, 4]);
    expect(d["fc.weight"]).toEqual([1, deepest * smallest]);
    for (let i = 1; i < depth; i++) {
      expect(g[`up${depth - i}.weight`]).toEqual([4 * 2 ** i, 4 * 2 ** (i - 1), 4, 4]);
      expect(d[`down${i + 1}.weight`]).toEqual([4 * 2 ** i, 4 * 2 ** (i - 1), 4, 4]);
    }
  });
});

test.each([
  [28, 3, "images of 28x28 cannot be halved 3 times", "multiples of 8"],
  [30, 2, "images of 30x30 cannot be halved 2 times", "multiples of 4"],
  [32, 6, "images of 32x32 cannot be halved 6 times", "multiples of 64"],
])("sides of %d pixels are not halved %d times", (side, depth, what, fix) => {
  for (const make of [
    () => convGenerator(10, grey(side), { width: 4, depth }),
    () => convDiscriminator(grey(side), { width: 4, depth }),
  ]) {
    expect(make).toThrow(GanOnnxError);
    expect(make).toThrow(expect.objectContaining({ kind: "usage" }));
    expect(make).toThrow(`depth: ${what}`);
    expect(make).toThrow(fix);
  }
});
