import onnxProto from "onnx-proto";
import { describe, expect, test } from "vitest";
import { exportNetwork } from "../../src/export/network.js";
import { tensorIn, tensorsOf } from "../../src/tensors/tensor.js";
import { initialState } from "../../src/training/state.js";
import { onCpu } from "../helpers/on-cpu.js";
import { plainGenerator } from "../helpers/plain-conv.js";
import { colour, designed, grey, randomFeeds, runModel, trained, weightsOf } from "../helpers/recipes.js";

const latent = 3;

describe.each([
  [grey(8), 2],
  [colour(8), 3],
])("the exported generator of images %o, halved %d times", (image, depth) => {
  const design = designed("dcgan", { latent, width: 2, depth, learningRate: 0.01 }, image);
  const start = initialState(design, 1);
  const position = { recipe: "dcgan", seed: 1, epoch: 1, step: 0, images: 1, ...image } as const;
  const exported = trained(design, randomFeeds(design, image, 5, 6), start).then(async ({ state }) => ({
    state,
    model: await exportNetwork(design, { position, state }, "nothing", onCpu),
  }));

  test("has no normalisation left: it is folded into the convolutions", async () => {
    const { model } = await exported;
    const { graph } = onnxProto.onnx.ModelProto.decode(model);
    const doublings = Array.from({ length: depth }, () => ["Relu", "ConvTranspose"]);
    const types = graph?.node?.map(({ opType }) => opType);
    expect(types).toEqual(["Gemm", "Relu", "Reshape", ...doublings.flat().slice(1), "Tanh"]);
    const floats = graph?.initializer?.filter(({ dataType }) => dataType === 1).map(({ name }) => name);
    const names = ["fc", ...doublings.map((_, i) => `up${i + 1}`)];
    expect(floats?.sort()).toEqual(names.flatMap((name) => [`${name}.bias`, `${name}.weight`]));
  });

  test.each([1, 7])(
    "draws %d images as plain loops in float64 with the running statistics do",
    async (count) => {
      const { model, state } = await exported;
      const z = Float32Array.from({ length: count * latent }, (_, i) => 2 * Math.sin(3 + 5 * i));
      const feeds = tensorsOf({ z: { dtype: "float32", shape: [count, latent], data: z } });
      const drawn = tensorIn(await runModel(model, feeds), "image");
      const expected = plainGenerator(
        weightsOf(design, "generator", state),
        { channels: image.channels, side: image.width, depth, classes: 0 },
        { data: Float64Array.from(z), count, labels: [], training: false },
      );
      expect([...drawn.shape]).toEqual([count, image.channels, image.height, image.width]);
      const differences = expected.map((value, i) => Math.abs(value - Number(drawn.data[i])));
      expect(Math.max(...differences)).toBeLessThan(1e-5);
    },
  );
});

test("a bias before a normalisation never moves, however large its layer is", async () => {
  // 64 pixels halved twice: 64 channels of 16 by 16, so as many biases.
  const image = grey(64);
  const design = designed("dcgan", { latent, width: 32 }, image);
  const start = initialState(design, 1);
  const { metrics, state } = await trained(design, randomFeeds(design, image, 2, 2), start);
  expect([...metrics.values()].flatMap(({ data }) => Array.from(data, Number)).every(Number.isFinite)).toBe(
    true,
  );
  const [before, after] = [start, state].map((tensors) => weightsOf(design, "generator", tensors));
  expect(before["fc.bias"].length).toBeGreaterThanOrEqual(2 ** 14);
  expect(after["fc.bias"]).toEqual(before["fc.bias"]);
  expect(after["fc.weight"]).not.toEqual(before["fc.weight"]);
});
