import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readBytes } from "../../src/files.node.js";
import type { Design } from "../../src/recipes/index.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/tensors/safetensors.js";
import { type Tensor, tensorIn } from "../../src/tensors/tensor.js";
import { averageState, parametersState } from "../../src/training/names.js";
import { initialState } from "../../src/training/state.js";
import { decodeWeights, encodeWeights } from "../../src/training/weights.js";

const readWeights = async (path: string, design: Design) =>
  decodeWeights(await readBytes(path), path, design);

import { temporaryFolder } from "../data/files.js";
import { goldenMissing, goldenRecipes, readGolden } from "../helpers/golden.js";
import { designed, grey, randomFeeds, trained } from "../helpers/recipes.js";

const image = grey(4);
const vanilla = designed("vanilla", { latent: 3, width: 4, depth: 1 }, image);
const dcgan = designed("dcgan", { latent: 3, width: 2, ema: 0.5 }, image);

type Tensors = ReadonlyMap<string, Tensor>;

async function written(tensors: Tensors): Promise<string> {
  const path = join(await temporaryFolder(), "weights.safetensors");
  writeFileSync(path, encodeSafetensors(tensors));
  return path;
}

const encoded = (design: typeof vanilla, state = initialState(design, 1)) =>
  decodeSafetensors(encodeWeights(design, state), "weights").tensors;

/** The same tensors under names changed. */
const renamed = (tensors: Tensors, change: (name: string) => string) =>
  new Map([...tensors].map(([name, tensor]) => [change(name), tensor]));

const bare = (name: string) => name.slice(name.indexOf(".") + 1);

describe("weights come back as they went", () => {
  test("parameters and buffers, to the bit; the rest starts anew", async () => {
    const start = initialState(dcgan, 1);
    const { state } = await trained(dcgan, randomFeeds(dcgan, image, 3, 5), start);
    const back = await readWeights(await written(encoded(dcgan, state)), dcgan);
    // The average starts where the generator does.
    const anew = new Map(start).set(averageState("generator"), tensorIn(state, parametersState("generator")));
    for (const name of start.keys()) {
      const kept = /parameters|running/.test(name);
      expect(tensorIn(back, name), name).toEqual(kept ? tensorIn(state, name) : anew.get(name));
      expect(tensorIn(state, name), name).not.toEqual(tensorIn(start, name));
    }
    expect([...back.keys()]).toEqual([...start.keys()]);
  });

  test("as a file that PyTorch's loader takes, of named tensors in PyTorch's layout", () => {
    const { tensors, metadata } = decodeSafetensors(encodeWeights(vanilla, initialState(vanilla, 1)), "x");
    expect(metadata).toEqual({ format: "pt" });
    expect(new Map([...tensors].map(([name, { shape }]) => [name, shape]))).toEqual(
      new Map([
        ["generator.gen.0.weight", [4, 3]],
        ["generator.gen.0.bias", [4]],
        ["generator.gen.2.weight", [16, 4]],
        ["generator.gen.2.bias", [16]],
        ["discriminator.dis.0.weight", [4, 16]],
        ["discriminator.dis.0.bias", [4]],
        ["discriminator.dis.2.weight", [1, 4]],
        ["discriminator.dis.2.bias", [1]],
      ]),
    );
  });
});

describe("PyTorch's own names", () => {
  test("are enough where one network has them", async () => {
    const path = await written(renamed(encoded(vanilla), bare));
    expect(await readWeights(path, vanilla)).toEqual(initialState(vanilla, 1));
  });

  test("are reported where two networks share them", async () => {
    const path = await written(renamed(encoded(dcgan), bare));
    await expect(readWeights(path, dcgan)).rejects.toThrow(
      "does not fit the recipe's networks: generator.fc.weight is missing, generator.fc.bias is missing, " +
        "discriminator.fc.weight is missing, discriminator.fc.bias is missing, " +
        "fc.bias is extra, fc.weight is extra; name the tensors as",
    );
  });

  test("beside the full names are extra, and do not win over them", async () => {
    const tensors = encoded(vanilla);
    const twice = new Map([...tensors, ["gen.0.bias", tensors.get("generator.gen.0.bias")!]]);
    const path = await written(twice);
    await expect(readWeights(path, vanilla)).rejects.toThrow("networks: gen.0.bias is extra;");
  });

  test("may come with counts of batches, which are not needed", async () => {
    const counter: Tensor = { dtype: "int64", shape: [], data: BigInt64Array.of(7n) };
    const tensors = new Map([
      ...encoded(dcgan),
      ["generator.bn1.num_batches_tracked", counter] as const,
      ["bn1.num_batches_tracked", counter] as const,
    ]);
    expect(await readWeights(await written(tensors), dcgan)).toEqual(initialState(dcgan, 1));
  });
});

test("everything that does not fit is listed at once", async () => {
  const tensors = new Map(encoded(vanilla));
  tensors.delete("generator.gen.0.bias");
  tensors.set("generator.gen.4.bias", { dtype: "float32", shape: [1], data: new Float32Array(1) });
  tensors.set("discriminator.dis.0.bias", { dtype: "float32", shape: [2, 2], data: new Float32Array(4) });
  tensors.set("discriminator.dis.2.bias", { dtype: "float64", shape: [1], data: new Float64Array(1) });
  const path = await written(tensors);
  await expect(readWeights(path, vanilla)).rejects.toThrow(
    `${path}: does not fit the recipe's networks: generator.gen.0.bias is missing, ` +
      "discriminator.dis.0.bias is float32 [2, 2] instead of float32 [4], " +
      "discriminator.dis.2.bias is float64 [1] instead of float32 [1], generator.gen.4.bias is extra; ",
  );
});

describe.each(goldenRecipes)("what PyTorch wrote for %s", (recipe) => {
  const { missing, note } = goldenMissing(recipe);
  test.skipIf(missing)(`is read, and written again to the bit${note}`, async () => {
    const design = designed(recipe);
    const { tensors } = await readGolden(recipe);
    const trainedWeights = [...tensors].flatMap(([name, tensor]) =>
      name.startsWith("final.") ? [[bare(name), tensor] as const] : [],
    );
    const state = await readWeights(await written(new Map(trainedWeights)), design);
    const bytes = Buffer.from(encodeWeights(design, state));
    expect(bytes.equals(encodeSafetensors(new Map(trainedWeights), { format: "pt" }))).toBe(true);
  });
});
