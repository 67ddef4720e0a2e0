import { describe, expect, test } from "vitest";
import { input } from "../../src/graph/index.js";
import { bind, declarationsOf, mlpGenerator } from "../../src/networks/index.js";
import { goldenMissing, goldenRecipes, readGolden } from "../helpers/golden.js";
import { designed } from "../helpers/recipes.js";

test("parameters lie one after the other in the flat vector", () => {
  const { parameters, buffers, size } = declarationsOf(mlpGenerator(3, 5, { width: 4, depth: 2 }));
  expect(parameters.map(({ name, shape, offset, size }) => [name, shape, offset, size])).toEqual([
    ["gen.0.weight", [4, 3], 0, 12],
    ["gen.0.bias", [4], 12, 4],
    ["gen.2.weight", [4, 4], 16, 16],
    ["gen.2.bias", [4], 32, 4],
    ["gen.4.weight", [5, 4], 36, 20],
    ["gen.4.bias", [5], 56, 5],
  ]);
  expect(buffers).toEqual([]);
  expect(size).toBe(61);
});

test("a network does without none of its tensors", () => {
  const network = mlpGenerator(3, 5, { width: 4, depth: 1 });
  const given = new Map([["gen.0.weight", input("w", "float32", [4, 3])]]);
  const options = {
    training: true,
    buffers: new Map(),
    derived: (_: string, compute: () => never) => compute(),
  };
  expect(() => bind(network, given, options)).toThrow("generator: has no tensor gen.0.bias");
});

describe.each(goldenRecipes)("the networks of %s", (recipe) => {
  const { missing, note } = goldenMissing(recipe);
  test.skipIf(missing)(`are PyTorch's by name, shape and range at the start${note}`, async () => {
    const { tensors } = await readGolden(recipe);
    const recorded = new Map([...tensors].filter(([name]) => name.startsWith("init.")));
    for (const [network, definition] of Object.entries(designed(recipe).networks)) {
      const { parameters, buffers } = declarationsOf(definition);
      for (const { name, shape, init } of [...parameters, ...buffers]) {
        const full = `init.${network}.${name}`;
        const tensor = recorded.get(full);
        recorded.delete(full);
        expect(tensor?.shape, full).toEqual(shape);
        const data = tensor?.data as Float32Array;
        const largest = data.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
        if (init.kind === "constant") {
          expect(new Set(data), full).toEqual(new Set([init.value]));
        } else {
          // PyTorch's numbers fill our interval, as nearly as their number lets them.
          expect(largest, full).toBeLessThanOrEqual(init.bound * (1 + 1e-6));
          if (data.length >= 16) expect(largest, full).toBeGreaterThan(init.bound * (1 - 8 / data.length));
        }
      }
    }
    expect([...recorded.keys()]).toEqual([]);
  });
});
