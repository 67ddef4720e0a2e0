import { expect, test } from "vitest";
import { add, build, constant, gemm, input } from "../../src/graph/index.js";
import { encodeModel, summarizeModel } from "../../src/onnx/index.js";
import { patchModel } from "../../src/onnx/patch.js";
import { floatsIn } from "../../src/tensors/tensor.js";
import { onCpu } from "../helpers/on-cpu.js";
import { about } from "../helpers/run.js";

const weight = (data: number[]) => constant("float32", [2, 2], Float32Array.from(data), "layer.weight");
const bias = (data: number[]) => constant("float32", [2], Float32Array.from(data), "layer.bias");
const x = input("x", "float32", ["batch", 2]);
const model = (w: number[], b: number[]) =>
  encodeModel(
    build(
      { ...about, metadata: { kept: "as it was", told: "before" } },
      { inputs: [x], outputs: { y: add(gemm(x, weight(w)), bias(b)) } },
    ),
  );
const original = model([1, 2, 3, 4], [5, 6]);

async function run(bytes: Uint8Array): Promise<number[]> {
  const session = await onCpu(bytes, "patched.onnx");
  try {
    const data = Float32Array.of(1, 0, 0, 1);
    return [...floatsIn(await session.run(new Map([["x", { dtype: "float32", shape: [2, 2], data }]])), "y")];
  } finally {
    await session.close();
  }
}

test("some initializers get other numbers, all else stays", async () => {
  const patched = patchModel(original, new Map([["layer.weight", Float32Array.of(-1, -2, -3, -4)]]));
  expect(await run(patched)).toEqual([4, 4, 2, 2]);
  expect(summarizeModel(patched)).toEqual(summarizeModel(original));
  expect(await run(original)).toEqual([6, 8, 8, 10]);
});

test("with the numbers that it has, a model is what it was", () => {
  const same = new Map([
    ["layer.weight", Float32Array.of(1, 2, 3, 4)],
    ["layer.bias", Float32Array.of(5, 6)],
  ]);
  expect(patchModel(original, same)).toEqual(original);
});

test("metadata are added, and replaced where the key is there", () => {
  const patched = patchModel(original, new Map(), { told: "after", new: "entry" });
  expect(summarizeModel(patched).metadata).toEqual({ kept: "as it was", told: "after", new: "entry" });
});

test.each([
  ["missing", "layer.wieght", [1, 2, 3, 4], 'initializer "layer.wieght": the model has no such initializer'],
  ["another size", "layer.bias", [1, 2, 3], 'initializer "layer.bias": has 2 elements, not 3'],
])("%s is refused", (_, name, values, message) => {
  expect(() => patchModel(original, new Map([[name, Float32Array.from(values)]]))).toThrow(message);
});
