import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { afterAll, expect, test } from "vitest";
import {
  add,
  build,
  cast,
  constant,
  conv2d,
  convTranspose2d,
  exp,
  gradients,
  input,
  leakyRelu,
  loop,
  type Model,
  mean,
  mul,
  neg,
  row,
  sequenceInput,
  split,
  square,
  sum,
  tanh,
  transpose,
  type Value,
} from "../../src/graph/index.js";
import { encodeModel, IR_VERSION, OPSET, summarizeModel } from "../../src/onnx/index.js";
import { adamW } from "../../src/ort-training/operators.js";
import { buildStepGraph } from "../../src/training/step-graph.js";
import { checkerMissing, checkModels } from "../helpers/onnx-checker.js";
import { designed } from "../helpers/recipes.js";
import { about, modelOf } from "../helpers/run.js";

const { onnx } = onnxProto;
const { FLOAT, INT64 } = onnx.TensorProto.DataType;
const { AttributeType } = onnx.AttributeProto;
const decode = (model: Model) => onnx.ModelProto.decode(encodeModel(model));

const folder = mkdtempSync(join(tmpdir(), "gan-onnx-"));
afterAll(() => rmSync(folder, { recursive: true }));

const x = input("x", "float32", ["batch", 4], "rows of four");

function small(): Model {
  const weights = constant("float32", [2, 2], Float32Array.of(1, 2, 3, -0.5), "weights");
  const [left, right] = split(leakyRelu(x, 0.2), 1, 2);
  const y = transpose(add(mul(left, right), mean(weights, [0])), [1, 0]);
  return build(about, { inputs: [x], outputs: { y, bytes: cast(exp(y), { to: "uint8" }) } });
}

function looping(): Model {
  const count = input("count", "int64", []);
  const batch = input("batch", "float32", ["steps", 3]);
  const run = loop(count, "steps", { s: input("s", "float32", [3]) }, (iteration, { s }) => ({
    state: { s: add(s, row(batch, iteration)) },
    collected: { mean: mean(s), negative: neg(s) },
  }));
  const named = (prefix: string, values: Readonly<Record<string, Value>>) =>
    Object.entries(values).map(([name, value]) => [prefix + name, value] as const);
  return modelOf(Object.fromEntries([...named("next/", run.state), ...named("all/", run.collected)]));
}

/** Convolutions both ways with a penalty on a gradient, whose own gradients convolve with the batch as channels. */
function convolving(): Model {
  const options = { stride: 2, padding: 1 };
  const images = input("images", "float32", ["batch", 2, 7, 6]);
  const [down, up] = [input("down", "float32", [3, 2, 4, 4]), input("up", "float32", [3, 1, 4, 4])];
  const score = sum(square(convTranspose2d(tanh(conv2d(images, down, options)), up, options)));
  const [slope] = gradients(score, [images]);
  const [dDown, dUp] = gradients(add(score, sum(square(slope))), [down, up]);
  return modelOf({ dDown, dUp });
}

/** The training graph of the vanilla recipe on small images. */
function training(): Model {
  const design = designed("vanilla", { latent: 5, width: 8 }, { channels: 1, height: 4, width: 3 });
  return buildStepGraph(design, about).model;
}

test("a model says what it is and needs nothing but the default domain", () => {
  const described = { ...about, doc: "What it does.", metadata: { latent: "100", range: "[-1, 1]" } };
  const model = decode(build(described, { inputs: [x], outputs: { y: neg(x) } }));
  expect(Number(model.irVersion)).toBe(IR_VERSION);
  expect([IR_VERSION, OPSET]).toEqual([8, 17]);
  expect(model.opsetImport.map(({ domain, version }) => [domain, Number(version)])).toEqual([["", 17]]);
  expect(model.producerName).toBe("gan-onnx");
  expect(model.producerVersion).toBe("test");
  expect(model.docString).toBe("What it does.");
  expect(model.metadataProps.map(({ key, value }) => [key, value])).toEqual([
    ["latent", "100"],
    ["range", "[-1, 1]"],
  ]);
  expect(model.graph?.name).toBe("test");
});

test("inputs, weights, nodes and attributes read back as written", () => {
  const graph = decode(small()).graph;
  const [{ name, docString, type }] = graph?.input ?? [];
  expect([name, docString, type?.tensorType?.elemType]).toEqual(["x", "rows of four", FLOAT]);
  const dims = type?.tensorType?.shape?.dim?.map(({ dimParam, dimValue }) => dimParam || Number(dimValue));
  expect(dims).toEqual(["batch", 4]);

  const weights = graph?.initializer?.find((tensor) => tensor.name === "weights");
  expect([weights?.dataType, weights?.dims?.map(Number)]).toEqual([FLOAT, [2, 2]]);
  expect([...new Float32Array(Uint8Array.from(weights?.rawData ?? []).buffer)]).toEqual([1, 2, 3, -0.5]);

  const attributes = graph?.node?.flatMap(({ opType, attribute }) =>
    (attribute ?? []).map(({ name, type, f, i, ints }) => {
      if (type === AttributeType.FLOAT) return [opType, name, f];
      return [opType, name, type === AttributeType.INTS ? ints?.map(Number) : Number(i)];
    }),
  );
  expect(attributes).toEqual([
    ["LeakyRelu", "alpha", expect.closeTo(0.2, 7)],
    ["Split", "axis", 1],
    ["ReduceMean", "axes", [0]],
    ["ReduceMean", "keepdims", 0],
    ["Transpose", "perm", [1, 0]],
    ["Cast", "to", onnx.TensorProto.DataType.UINT8],
  ]);
});

test("a model's file is summed up by what it needs, gives and says", () => {
  const bytes = encodeModel({ ...small(), metadata: { latent: "4" } });
  expect(summarizeModel(bytes)).toEqual({
    producer: "gan-onnx",
    irVersion: 8,
    opsets: { "": 17 },
    metadata: { latent: "4" },
    inputs: [{ name: "x", dtype: "float32", shape: ["batch", 4] }],
    outputs: [
      { name: "y", dtype: "float32", shape: [2, "batch"] },
      { name: "bytes", dtype: "uint8", shape: [2, "batch"] },
    ],
    operators: ["LeakyRelu", "Split", "Mul", "ReduceMean", "Add", "Transpose", "Exp", "Cast"],
  });
  expect(() => summarizeModel(new Uint8Array(0))).toThrow("there is no graph in it");
});

test("a loop's body is a graph that reads the graph around it", () => {
  const [node] = decode(looping()).graph?.node ?? [];
  expect([node.opType, node.input]).toEqual(["Loop", ["count", "", "s"]]);
  const body = node.attribute?.find(({ name }) => name === "body")?.g;
  const types = body?.input?.map(({ type }) => type?.tensorType?.elemType);
  expect(types).toEqual([INT64, onnx.TensorProto.DataType.BOOL, FLOAT]);
  expect(body?.output).toHaveLength(4);
  expect(body?.node?.some(({ input }) => input?.includes("batch"))).toBe(true);
});

test.each([
  ["a small model", small],
  ["a loop", looping],
  ["convolutions", convolving],
  ["the training graph", training],
])("%s writes every node in an order that can be run, and the type of every value", (_, make) => {
  const check = (graph: onnxProto.onnx.IGraphProto, around: ReadonlySet<string>) => {
    const known = new Set(around);
    for (const { name } of [...(graph.input ?? []), ...(graph.initializer ?? [])]) known.add(name ?? "");
    const typed = new Set([...(graph.valueInfo ?? []), ...(graph.output ?? [])].map(({ name }) => name));
    for (const { name, domain, input, output, attribute } of graph.node ?? []) {
      expect(domain).toBe("");
      expect(
        (input ?? []).filter((read) => read !== "" && !known.has(read)),
        `${name} reads`,
      ).toEqual([]);
      for (const { g } of attribute ?? []) if (g) check(g, known);
      for (const made of output ?? []) {
        expect(known.has(made), `${made} is made twice`).toBe(false);
        expect(typed.has(made), `${made} has a type`).toBe(true);
        known.add(made);
      }
    }
  };
  check(decode(make()).graph ?? {}, new Set());
});

test.skipIf(checkerMissing)(
  `ONNX's checker accepts what is written${checkerMissing ? ` (skipped: ${checkerMissing})` : ""}`,
  () => {
    const models = { small: small(), looping: looping(), convolving: convolving(), training: training() };
    const paths = Object.entries(models).map(([name, model]) => {
      const path = join(folder, `${name}.onnx`);
      writeFileSync(path, encodeModel(model));
      return path;
    });
    expect(checkModels(paths)).toBe("");

    // Its inference is strict: a model that declares another type than its nodes give is refused.
    const wrong = small();
    const outputs = wrong.graph.outputs.map((value) => ({ ...value, dtype: "int64" as const }));
    const path = join(folder, "wrong.onnx");
    writeFileSync(path, encodeModel({ ...wrong, graph: { ...wrong.graph, outputs } }));
    expect(checkModels([path])).toContain("Inferred elem type differs");
  },
);

test("operators of another domain are declared, and lists of tensors are inputs", () => {
  const [gradients, rate] = [sequenceInput("gradients", "float32"), input("rate", "float32", [1])];
  const inputs = [rate, input("step", "int64", [1]), sequenceInput("params", "float32"), gradients];
  const attributes = {
    alpha: 0.9,
    beta: 0.999,
    epsilon: 1e-8,
    weight_decay: 0,
    adam_mode: 0,
    correct_bias: 1,
  } as const;
  const bytes = encodeModel(build(about, { inputs, outputs: { updated: adamW(inputs, attributes) } }));
  expect(summarizeModel(bytes)).toMatchObject({
    opsets: { "": 17, "com.microsoft": 1 },
    inputs: [
      { shape: [1] },
      { shape: [1] },
      { name: "params", shape: [], sequence: true },
      { sequence: true },
    ],
    outputs: [{ name: "updated", dtype: "bool", shape: [1] }],
  });
  const [node] = onnx.ModelProto.decode(bytes).graph?.node ?? [];
  expect([node.opType, node.domain]).toEqual(["AdamWOptimizer", "com.microsoft"]);
});
