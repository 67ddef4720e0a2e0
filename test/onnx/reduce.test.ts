import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { build, constant, gemm, input, loop, scalar } from "../../src/graph/index.js";
import { encodeModel, type FileOptions, reduced, summarizeModel } from "../../src/onnx/index.js";
import { halves, widened } from "../../src/tensors/half.js";
import { fillNormal, randomStream } from "../../src/tensors/random.js";
import { temporaryFolder } from "../data/files.js";
import { checkerMissing, checkModels } from "../helpers/onnx-checker.js";
import { about } from "../helpers/run.js";

const [rows, columns] = [20, 30];
/** Columns of very different sizes: one scale for all would lose the small ones. */
const weights = fillNormal(randomStream(3, "weights"), new Float32Array(rows * columns)).map(
  (value, i) => value * 10 ** ((i % columns) % 4),
);
const x = input("x", "float32", ["batch", rows]);
const y = gemm(x, constant("float32", [rows, columns], weights as Float32Array<ArrayBuffer>, "w"));
const model = encodeModel(
  build({ ...about, metadata: { kept: "yes", sum: "1" } }, { inputs: [x], outputs: { y } }),
);

/** The weights, as a model computes with them. */
async function weightsIn(bytes: Uint8Array): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(bytes);
  const unit = Float32Array.from({ length: rows * rows }, (_, i) => Number(i % (rows + 1) === 0));
  const found = await session.run({ x: new ort.Tensor("float32", unit, [rows, rows]) });
  await session.release();
  return found.y.data as Float32Array;
}

describe("weights are stored", () => {
  test("as float16, each the nearest one", async () => {
    const bytes = reduced(model, { precision: "fp16" });
    expect(bytes.length).toBeLessThan(0.6 * model.length);
    expect(await weightsIn(bytes)).toEqual(widened(halves(weights)!, "F16"));
  });

  test("as 8-bit integers, each within half a step of its column's scale", async () => {
    const bytes = reduced(model, { precision: "int8" });
    expect(bytes.length).toBeLessThan(0.4 * model.length);
    const found = await weightsIn(bytes);
    for (let column = 0; column < columns; column++) {
      const places = Array.from({ length: rows }, (_, row) => row * columns + column);
      const step = Math.max(...places.map((i) => Math.abs(weights[i]))) / 127;
      for (const i of places) expect(Math.abs(found[i] - weights[i])).toBeLessThanOrEqual(0.501 * step);
    }
    expect(found).not.toEqual(weights);
  });

  test("once, if the body of a loop reads them", async () => {
    const w = constant("float32", [rows, columns], weights as Float32Array<ArrayBuffer>, "w");
    const back = constant("float32", [columns, rows], new Float32Array(rows * columns).fill(0.001), "back");
    const { state } = loop(scalar(3, "int64"), "iterations", { s: x }, (_, { s }) => ({
      state: { s: gemm(gemm(s, w), back) },
      collected: {},
    }));
    const looped = encodeModel(build(about, { inputs: [x], outputs: { y: state.s } }));
    const bytes = reduced(looped, { precision: "int8" });
    expect(bytes.length).toBeLessThan(0.5 * looped.length);
    expect(summarizeModel(bytes).operators).toEqual(["DequantizeLinear", "DequantizeLinear", "Loop"]);
    const [found, expected] = [await weightsIn(bytes), await weightsIn(looped)];
    const largest = Math.max(...expected.map(Math.abs));
    for (const [i, value] of expected.entries())
      expect(Math.abs(found[i] - value)).toBeLessThan(0.02 * largest);
  });

  test("as they were, if one is too large for float16", async () => {
    const large = constant(
      "float32",
      [rows, columns],
      weights.map((v) => 1e6 * v) as Float32Array<ArrayBuffer>,
      "w",
    );
    const huge = encodeModel(build(about, { inputs: [x], outputs: { y: gemm(x, large) } }));
    expect(await weightsIn(reduced(huge, { precision: "fp16" }))).toEqual(await weightsIn(huge));
  });
});

test("float16 rounds to the nearest, ties to even, also below the smallest normal number", () => {
  const cases: [number, number][] = [
    [1, 0x3c00],
    [-2, 0xc000],
    [65_504, 0x7bff],
    [65_519, 0x7bff],
    [2 ** -24, 1],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2],
    [2 ** -14, 0x400],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000],
    [-0, 0x8000],
  ];
  const bytes = halves(Float32Array.from(cases, ([value]) => value))!;
  expect([...new Uint16Array(bytes.buffer)]).toEqual(cases.map(([, bits]) => bits));
  expect(halves(Float32Array.of(65_520))).toBeUndefined();
  expect(halves(Float32Array.of(Number.NaN))).toBeUndefined();
});

test("the batch size becomes a number, the operator set another one, metadata stay or are replaced", () => {
  const found = summarizeModel(reduced(model, { batch: 4, opset: 15 }, { sum: "2" }));
  expect([found.inputs[0].shape, found.outputs[0].shape]).toEqual([
    [4, rows],
    [4, columns],
  ]);
  expect(found).toMatchObject({ opsets: { "": 15 }, irVersion: 8, metadata: { kept: "yes", sum: "2" } });
  expect(() => reduced(reduced(model, { batch: 4 }), { batch: 5 })).toThrow("is fixed already");
});

const forms: FileOptions[] = [{ precision: "fp16" }, { precision: "int8", batch: 2 }, { opset: 13 }];
test.skipIf(checkerMissing)(`ONNX's checker accepts all of it${checkerMissing ?? ""}`, async () => {
  const folder = await temporaryFolder();
  const paths = await Promise.all(
    forms.map(async (form, i) => {
      const path = join(folder, `${i}.onnx`);
      await writeFile(path, reduced(model, form));
      return path;
    }),
  );
  expect(checkModels(paths)).toBe("");
});
