import { expect, test } from "vitest";
import { readModel } from "../../src/onnx/index.js";
import { patchModel } from "../../src/onnx/patch.js";
import { modelBytes, tensor } from "../helpers/make-model.js";

const identity = (from: string, to: string) => ({ type: "Identity", inputs: [from], outputs: [to] });

// What PyTorch's older exporter writes for a new normalization, whose four tensors are ones and zeros: two of them.
const bytes = modelBytes({
  inputs: { x: ["batch", 2] },
  nodes: [
    identity("norm.weight", "norm.running_var"),
    identity("norm.bias", "norm.running_mean"),
    {
      type: "BatchNormalization",
      inputs: ["x", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"],
      outputs: ["h"],
    },
    // A weight that two layers share.
    identity("shared", "also"),
    { type: "Gemm", inputs: ["h", "shared"], outputs: ["g"] },
    { type: "Gemm", inputs: ["g", "also"], outputs: ["y"] },
  ],
  initializers: [
    tensor("norm.weight", [2], [1, 1]),
    tensor("norm.bias", [2], [0, 0]),
    tensor("shared", [2, 2], [1, 2, 3, 4]),
  ],
});

test("weights that an exporter has merged because they are equal are read as separate weights", () => {
  const { parameters, statistics, nextStatistics } = readModel(bytes, { training: true });
  expect([...parameters.keys()]).toEqual(["norm.weight", "norm.bias", "shared"]);
  expect([...statistics.keys()]).toEqual(["norm.running_var", "norm.running_mean"]);
  for (const [name, statistic] of statistics) expect(nextStatistics.get(name), name).not.toBe(statistic);
});

test("and written as separate weights", () => {
  const learned = new Map([
    ["norm.weight", Float32Array.of(2, 3)],
    ["norm.running_var", Float32Array.of(4, 5)],
    ["norm.running_mean", Float32Array.of(6, 7)],
  ]);
  const { tensors } = readModel(patchModel(bytes, learned));
  for (const [name, data] of learned) expect(tensors.get(name)?.data, name).toEqual(data);
  expect(tensors.get("norm.bias")?.data).toEqual(Float32Array.of(0, 0));
});
