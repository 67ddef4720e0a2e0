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

const readStart = async (path: string, design: Design, seed = 1) =>
  decodeWeights(await readBytes(path), path, design, seed);
const readWeights = async (path: string, design: Design) => (await readStart(path, design)).state;

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

describe("what comes of training in PyTorch", () => {
  test.each([
    ["DataParallel", (name: string) => `module.${bare(name)}`],
    ["torch.compile", (name: string) => `_orig_mod.${bare(name)}`],
    ["both, of one network in a dictionary", (name: string) => name.replace(".", "._orig_mod.module.")],
    ["both around all", (name: string) => `module._orig_mod.${name}`],
  ])("has names with prefixes: %s", async (_, change) => {
    const path = await written(renamed(encoded(vanilla), change));
    expect(await readWeights(path, vanilla)).toEqual(initialState(vanilla, 1));
  });

  test.each([
    ["full names", (name: string) => name],
    ["its own names, some of which the other network has too", bare],
    ["wrapped names", (name: string) => `module.${bare(name)}`],
  ])("is a generator alone, by %s: the discriminator starts from the seed", async (_, change) => {
    const generator = new Map([...encoded(dcgan)].filter(([name]) => name.startsWith("generator.")));
    const path = await written(renamed(generator, change));
    const { state, remark } = await readStart(path, dcgan, 2);
    const parameters = (seed: number, network: string) =>
      tensorIn(initialState(dcgan, seed), parametersState(network));
    expect(tensorIn(state, parametersState("generator"))).toEqual(parameters(1, "generator"));
    expect(tensorIn(state, parametersState("discriminator"))).toEqual(parameters(2, "discriminator"));
    expect(remark).toBe(`${path} has no discriminator: that starts from the seed`);
  });

  test("is no discriminator alone: that draws nothing", async () => {
    const discriminator = new Map(
      [...encoded(vanilla)].filter(([name]) => name.startsWith("discriminator.")),
    );
    await expect(readWeights(await written(discriminator), vanilla)).rejects.toThrow(
      "networks: generator.gen.0.weight is missing",
    );
  });

  test.each([
    ["F16", [0x3c00, 0xc000, 0x0001, 0x3555], [1, -2, 2 ** -24, 0.333251953125]],
    ["BF16", [0x3f80, 0xc000, 0x0001, 0x3eab], [1, -2, 9.183549615799121e-41, 0.333984375]],
  ])("has numbers of 16 bits: %s", async (type, bits, values) => {
    const header = { x: { dtype: type, shape: [2, 2], data_offsets: [0, 8] } };
    const json = new TextEncoder().encode(JSON.stringify(header).padEnd(64));
    const bytes = new Uint8Array([
      64,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      ...json,
      ...new Uint8Array(Uint16Array.from(bits).buffer),
    ]);
    const { tensors } = decodeSafetensors(bytes, "half");
    expect(tensors.get("x")).toEqual({ dtype: "float32", shape: [2, 2], data: Float32Array.from(values) });
    const short = JSON.stringify({ x: { ...header.x, data_offsets: [0, 16] } }).padEnd(64);
    const wrong = new Uint8Array([
      ...bytes.subarray(0, 8),
      ...new TextEncoder().encode(short),
      ...new Uint8Array(16),
    ]);
    expect(() => decodeSafetensors(wrong, "half")).toThrow("[2,2] takes 8");
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "has %d, which is named",
    async (value) => {
      const tensors = new Map(encoded(vanilla));
      const data = new Float32Array(12);
      data[7] = value;
      tensors.set("generator.gen.0.weight", { dtype: "float32", shape: [4, 3], data });
      const path = await written(tensors);
      await expect(readWeights(path, vanilla)).rejects.toThrow(
        `${path}: generator.gen.0.weight[2, 1] is ${value}: no number to start from; `,
      );
    },
  );

  test.each([
    ["a zip archive", [0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0]],
    ["an old pickle", [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9]],
  ])("is a pickle, for which Python is told: %s", async (_, bytes) => {
    const path = join(await temporaryFolder(), "weights.pt");
    writeFileSync(path, Uint8Array.from(bytes));
    const target = path.replace(/pt$/, "safetensors");
    await expect(readWeights(path, vanilla)).rejects.toThrow(
      `${path}: is a file of PyTorch's own (a pickle), not safetensors; convert it in Python: import torch, safetensors.torch; w = torch.load("${path}", map_location='cpu', weights_only=True); safetensors.torch.save_file({k: v.clone() for k, v in w.get('state_dict', w).items()}, "${target}")`,
    );
  });
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
