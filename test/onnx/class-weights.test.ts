import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { withClassWeights } from "../../src/onnx/class-weights.js";
import { drawLatents } from "../../src/recipes/latents.js";
import { randomStream } from "../../src/tensors/random.js";
import { floatsIn, type Tensor } from "../../src/tensors/tensor.js";
import { onCpu } from "../helpers/on-cpu.js";

const conditional = await readFile("models/conditional.onnx");

test("classes as weights: whole ones give what the class gave, halves lie between", async () => {
  const [plain, mixed] = [
    await onCpu(conditional, "a"),
    await onCpu(withClassWeights(conditional, "label", 10)!, "b"),
  ];
  const feeds = drawLatents(randomStream(3, "test"), 2, { latent: 100, classes: 10 }, [3, 8]);
  const drawn = floatsIn(await plain.run(feeds), "image");
  const weighted = async (...weights: readonly number[]) => {
    const label: Tensor = { dtype: "float32", shape: [2, 10], data: Float32Array.from(weights) };
    return floatsIn(await mixed.run(new Map([...feeds, ["label", label]])), "image");
  };
  const [three, eight] = [3, 8].map((digit) => Array.from({ length: 10 }, (_, i) => Number(i === digit)));
  expect(await weighted(...three, ...eight)).toEqual(drawn);
  const half = three.map((value, i) => (value + eight[i]) / 2);
  const between = await weighted(...half, ...half);
  const far = (a: Float32Array, b: Float32Array) =>
    a.subarray(0, 784).reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0);
  const swapped = await weighted(...eight, ...three);
  expect(far(between, drawn)).toBeLessThan(far(drawn, swapped));
  expect(far(between, swapped)).toBeLessThan(far(drawn, swapped));
  expect(far(between, drawn)).toBeGreaterThan(10);
  await Promise.all([plain.close(), mixed.close()]);
});

test("a model that has no classes, or others, is left as it is", async () => {
  const generator = await readFile("models/dcgan.onnx");
  expect(withClassWeights(generator, "label", 10)).toBeUndefined();
  expect(withClassWeights(conditional, "label", 9)).toBeUndefined();
  expect(withClassWeights(conditional, "z", 10)).toBeUndefined();
});
