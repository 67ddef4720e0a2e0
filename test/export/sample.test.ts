import { Jimp } from "jimp";
import { describe, expect, test } from "vitest";
import { readGenerator } from "../../src/export/description.js";
import { exportNetwork } from "../../src/export/network.js";
import { type SampleOptions, sampleSheet } from "../../src/export/sample.node.js";
import { build, input, reshape, tanh } from "../../src/graph/index.js";
import { encodeModel } from "../../src/onnx/index.js";
import { designOf, recipes } from "../../src/recipes/index.js";
import { initialState } from "../../src/training/state.js";
import { tinyArtifacts, tinyDesign, tinyImage } from "../helpers/design.js";
import { onCpu } from "../helpers/on-cpu.js";
import { about } from "../helpers/run.js";

const design = tinyDesign();
const position = { recipe: "vanilla", seed: 9, epoch: 3, step: 0, images: 450, ...tinyImage } as const;
const model = await exportNetwork(design, { position, state: initialState(design, 9) }, "some/folder", onCpu);

const options: SampleOptions = {
  count: 4,
  columns: 2,
  seed: 1,
  place: { ep: "cpu", threads: 1 },
  where: "g.onnx",
};
const sample = (changes: Partial<SampleOptions> = {}, bytes: Uint8Array = model) =>
  sampleSheet(bytes, { ...options, ...changes });

async function pixels(png: Uint8Array) {
  const { width, height, data } = (await Jimp.fromBuffer(Buffer.from(png))).bitmap;
  return { width, height, grey: Array.from({ length: width * height }, (_, i) => data[4 * i]) };
}

describe("a sheet of samples", () => {
  test("is the same for the same seed, another for another", async () => {
    expect(await sample()).toEqual(await sample());
    expect(await sample({ seed: 2 })).not.toEqual(await sample());
  });

  test("has as many images and columns as asked for", async () => {
    const across = (count: number) => count * (3 + 2) + 2;
    expect(await pixels(await sample())).toMatchObject({ width: across(2), height: across(2) });
    expect(await pixels(await sample({ count: 7, columns: 3 }))).toMatchObject({
      width: across(3),
      height: across(3),
    });
    expect(await pixels(await sample({ count: 9, columns: undefined }))).toMatchObject({ width: across(3) });
  });

  test("begins with the same images, however many follow", async () => {
    const few = await pixels(await sample());
    const many = await pixels(await sample({ count: 40 }));
    expect(many.grey.slice(0, few.grey.length)).toEqual(few.grey);
    expect(new Set(few.grey).size).toBeGreaterThan(4);
  });
});

test("classes are chosen by number, from 10 on too, and by name; the file holds no absolute path", async () => {
  const classNames = Array.from({ length: 12 }, (_, i) => `class ${String.fromCharCode(97 + i)}`);
  const image = { channels: 1, height: 4, width: 4 };
  const settings = recipes.conditional.settings.parse({ classes: 12, latent: 3, width: 2, depth: 1 });
  const conditional = designOf("conditional", settings, image);
  const start = { position: { ...position, ...image }, state: initialState(conditional, 9) };
  const name = "/home/somebody/pictures";
  const bytes = await exportNetwork(conditional, start, { name, classNames }, onCpu);
  expect(Buffer.from(bytes).includes("/home")).toBe(false);
  expect(readGenerator(bytes, "g.onnx")).toMatchObject({ classNames, metadata: { data: "pictures" } });
  const drawn = (classes: string[]) => sample({ classes }, bytes);
  expect(await drawn(["class l", "1"])).toEqual(await drawn(["11", "class b"]));
  expect(await drawn(["11"])).not.toEqual(await drawn(["1"]));
  expect(await sample({ digits: [7, 3] }, bytes)).toEqual(await drawn(["7", "3"]));
  await expect(drawn(["12"])).rejects.toThrow("classes: g.onnx has no class 12; choose from 0 to 11");
  await expect(drawn(["cat"])).rejects.toThrow('classes: g.onnx has no class "cat"; choose from class a, ');
});

describe("refused by its name is", () => {
  const z = input("z", "float32", ["batch", 9]);
  const image = reshape(tanh(z), ["batch", 1, 3, 3]);
  const modelWith = (metadata: Record<string, string>, output = "image") =>
    encodeModel(build({ ...about, metadata }, { inputs: [z], outputs: { [output]: image } }));

  test.each([
    ["a text", new TextEncoder().encode("hello, this is no model"), "is not an ONNX model"],
    ["an empty file", new Uint8Array(), "is not an ONNX model"],
    ["a model cut off", model.subarray(0, model.length / 2), "is not an ONNX model"],
    ["a training graph", tinyArtifacts(design).train, "has no input z [batch, latent]"],
    ["a model without images", modelWith({ range: "[-1,1]" }, "picture"), "has no output image [batch, "],
    [
      "a model of a later format",
      modelWith({ format: "gan-onnx generator 2", range: "[-1,1]" }),
      'has the format "gan-onnx generator 2" instead of "gan-onnx generator 1"',
    ],
    ["a model without a range", modelWith({}), 'has no proper metadata "range"'],
    [
      "a model with a broken range",
      modelWith({ range: "[-1" }),
      'has no proper metadata "range" (it is "[-1")',
    ],
    [
      "a model with half a range",
      modelWith({ range: "[1]" }),
      'has no proper metadata "range" (it is "[1]")',
    ],
  ])("%s", async (_, bytes, message) => {
    await expect(sample({}, bytes)).rejects.toMatchObject({
      name: "GanOnnxError",
      message: expect.stringContaining(`g.onnx: ${message}`),
    });
  });

  test("nothing that has that form, whoever wrote it", async () => {
    const { width, height } = await pixels(await sample({}, modelWith({ range: "[-1,1]" })));
    expect([width, height]).toEqual([12, 12]);
  });
});
