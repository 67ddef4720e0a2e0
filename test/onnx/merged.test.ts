import { expect, test } from "vitest";
import { readModel } from "../../src/onnx/index.js";
import { patchModel } from "../../src/onnx/patch.js";
import { tensorIn } from "../../src/tensors/tensor.js";
import { modelBytes, tensor } from "../helpers/make-model.js";
import { onCpu } from "../helpers/on-cpu.js";

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

// The newer exporter lets the layer read the same initializers, and a second layer too.
const norm = (x: string, y: string) => ({
  type: "BatchNormalization",
  name: `node_${y}`,
  inputs: [x, "norm.weight", "norm.bias", "norm.bias", "norm.weight"],
  outputs: [y],
});
const direct = modelBytes({
  inputs: { x: ["batch", 2] },
  nodes: [norm("x", "h"), norm("h", "y")],
  initializers: [tensor("norm.weight", [2], [1, 1]), tensor("norm.bias", [2], [0, 0])],
});

test("weights of several layers that are one initializer are read and written as separate weights", async () => {
  const { parameters, statistics } = readModel(direct);
  expect([...parameters.keys()].sort()).toEqual(["node_y.bias", "node_y.weight", "norm.bias", "norm.weight"]);
  expect([...statistics.keys()].sort()).toEqual([
    ...["node_y.running_mean", "node_y.running_var", "norm.running_mean", "norm.running_var"],
  ]);
  const learned = new Map([
    ["norm.running_var", Float32Array.of(4, 9)],
    ["node_y.bias", Float32Array.of(5, 6)],
  ]);
  const session = await onCpu(patchModel(direct, learned), "patched.onnx");
  try {
    const x = { dtype: "float32" as const, shape: [1, 2], data: Float32Array.of(2, 3) };
    const { data } = tensorIn(await session.run(new Map([["x", x]])), "y");
    expect(data[0]).toBeCloseTo(6, 3);
    expect(data[1]).toBeCloseTo(7, 3);
  } finally {
    await session.close();
  }
});
