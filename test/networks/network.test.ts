import { describe, expect, test } from "vitest";
import { input } from "../../src/graph/index.js";
import { bind, cut, declarationsOf, joined, mlpGenerator, piecesOf } from "../../src/networks/index.js";
import { goldenMissing, goldenRecipes, readGolden } from "../helpers/golden.js";
import { designed } from "../helpers/recipes.js";
import { evaluate } from "../helpers/run.js";

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

test("a flat vector is cut into large parameters and the others, and joined again to the bit", async () => {
  const network = mlpGenerator(3, 200, { width: 128, depth: 2 });
  const { size } = declarationsOf(network);
  const flat = input("flat", "float32", [size]);
  const pieces = cut(network, flat);
  expect(piecesOf(network).map(({ name }, i) => [name, pieces[i].shape])).toEqual([
    ["gen.2.weight", [128, 128]],
    ["gen.4.weight", [200, 128]],
    ["others", [3 * 128 + 128 + 128 + 200]],
  ]);
  const numbers = Float32Array.from({ length: size }, (_, i) => i);
  const results = await evaluate({ flat2: joined(network, pieces), last: pieces[2] }, { flat: [...numbers] });
  expect(results.flat2.data).toEqual(numbers);
  expect(results.last.data.slice(-200)).toEqual(numbers.slice(-200));
});

test("frozen parameters are pieces of their own", () => {
  const network = {
    ...mlpGenerator(3, 200, { width: 128, depth: 2 }),
    isFrozen: (name: string) => /^gen\.[02]\./.test(name),
  };
  expect(
    piecesOf(network).map(({ name, frozen, parameters }) => [
      name,
      frozen,
      parameters.map(({ name }) => name),
    ]),
  ).toEqual([
    ["gen.2.weight", true, ["gen.2.weight"]],
    ["gen.4.weight", false, ["gen.4.weight"]],
    ["others", false, ["gen.4.bias"]],
    ["frozen", true, ["gen.0.weight", "gen.0.bias", "gen.2.bias"]],
  ]);
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
        } else if (init.kind === "given") {
          expect.fail(`${full} comes from no file`);
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
