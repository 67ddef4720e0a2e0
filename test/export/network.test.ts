import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { exportNetwork } from "../../src/export/network.js";
import { designOf, recipeNames, recipes } from "../../src/recipes/index.js";
import { fillNormal, randomStream } from "../../src/tensors/random.js";
import { floatsIn } from "../../src/tensors/tensor.js";
import type { Checkpoint } from "../../src/training/checkpoint.js";
import { initialState } from "../../src/training/state.js";
import { temporaryFolder } from "../data/files.js";
import { tinyDesign, tinyImage, tinySettings } from "../helpers/design.js";
import { onCpu } from "../helpers/on-cpu.js";
import { checkerMissing, checkModels } from "../helpers/onnx-checker.js";
import { generatorOf } from "../helpers/reference.js";

const design = tinyDesign();
const { latent, width } = tinySettings;
const checkpoint: Checkpoint = {
  position: { recipe: "vanilla", seed: 9, epoch: 3, step: 0, images: 450, ...tinyImage },
  state: initialState(design, 9),
};
const model = await exportNetwork(design, checkpoint, "some/folder", onCpu);
const decoded = onnxProto.onnx.ModelProto.decode(model);

test.each([1, 7])("an exported model computes what the network does, at batch %i", async (batch) => {
  const network = generatorOf([latent, width, width, 9], floatsIn(checkpoint.state, "generator/parameters"));
  const z = fillNormal(randomStream(1, "z"), new Float32Array(batch * latent));
  const session = await ort.InferenceSession.create(model, { executionProviders: ["cpu"] });
  const { image } = await session.run({ z: new ort.Tensor("float32", z, [batch, latent]) });
  await session.release();
  expect(image.dims).toEqual([batch, 1, 3, 3]);
  for (let i = 0; i < batch; i++) {
    const exact = network.forward(Array.from(z.subarray(i * latent, (i + 1) * latent)));
    exact.forEach((value, pixel) => {
      expect(Math.abs(Number(image.data[i * 9 + pixel]) - value)).toBeLessThan(1e-6);
    });
  }
});

test("it tells what it is: interface, metadata, producer, weights by their names", () => {
  const { graph, metadataProps, producerName, docString } = decoded;
  expect(Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]))).toEqual({
    format: "gan-onnx generator 1",
    latent: "4",
    range: "[-1,1]",
    recipe: "vanilla",
    epoch: "3",
    seed: "9",
    checksum: expect.stringMatching(/^crc32:[0-9a-f]{8}$/),
    data: "some/folder",
  });
  const shape = (value: onnxProto.onnx.IValueInfoProto) =>
    value.type?.tensorType?.shape?.dim?.map(({ dimParam, dimValue }) => dimParam || Number(dimValue));
  expect(graph?.input?.map((value) => [value.name, shape(value)])).toEqual([["z", ["batch", 4]]]);
  expect(graph?.output?.map((value) => [value.name, shape(value)])).toEqual([["image", ["batch", 1, 3, 3]]]);
  expect(graph?.initializer?.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["gen.0.weight", "gen.0.bias", "gen.4.bias"]),
  );
  expect(producerName).toBe("gan-onnx");
  expect(docString).toContain("vanilla after 3 epochs of some/folder");
});

test("it uses no operator domain but the default one, and no data outside the file", () => {
  expect(decoded.opsetImport.map(({ domain }) => domain ?? "")).toEqual([""]);
  for (const { domain } of decoded.graph?.node ?? []) expect(domain ?? "").toBe("");
  for (const { externalData } of decoded.graph?.initializer ?? []) expect(externalData).toEqual([]);
});

test("it is not written when it disagrees with the network", async () => {
  const data = floatsIn(checkpoint.state, "generator/parameters").slice().fill(Number.NaN, 0, 1);
  const broken = new Map(checkpoint.state).set("generator/parameters", {
    dtype: "float32",
    shape: [193],
    data,
  });
  await expect(exportNetwork(design, { ...checkpoint, state: broken }, "d", onCpu)).rejects.toThrow(
    "the exported model: differs by Infinity from the network in training, at batch 1",
  );
});

test.skipIf(checkerMissing)(
  `ONNX's own checker accepts it${checkerMissing ? ` (skipped: ${checkerMissing})` : ""}`,
  async () => {
    const path = join(await temporaryFolder(), "generator.onnx");
    await writeFile(path, model);
    expect(checkModels([path])).toBe("");
  },
);

test.each(recipeNames)("the recipe %s can be exported before its first step", async (recipe) => {
  const image = { channels: 1, height: 28, width: 28 };
  const ofRecipe = designOf(recipe, recipes[recipe].settings.parse({}), image);
  const state = initialState(ofRecipe, 1);
  const position = { ...checkpoint.position, ...image, recipe };
  const bytes = await exportNetwork(ofRecipe, { position, state }, "mnist", onCpu);
  expect(bytes.length).toBeGreaterThan(4 * 64);
});
