import { expect, test } from "vitest";
import { add, build, constant, gemm, input, relu, reshape, sigmoid, tanh } from "../../src/graph/index.js";
import { fileNetwork } from "../../src/networks/file-network.js";
import { bind, declarationsOf, mlpGenerator } from "../../src/networks/index.js";
import type { Role } from "../../src/networks/role.js";
import { decodeModel, encodeModel } from "../../src/onnx/index.js";
import { about, evaluate } from "../helpers/run.js";

/** Numbers that are all different. */
const numbers = (size: number, from = 0) => Float32Array.from({ length: size }, (_, i) => Math.sin(from + i));
const weights = {
  "gen.0.weight": numbers(12),
  "gen.0.bias": numbers(4, 20),
  "gen.2.weight": numbers(20, 40),
  "gen.2.bias": numbers(5, 70),
};

/** The multilayer perceptron of our own, 3-4-5, as a file. */
function perceptron(last: (x: ReturnType<typeof input>) => ReturnType<typeof input> = tanh) {
  const network = mlpGenerator(3, 5, { width: 4, depth: 1 });
  const z = input("noise", "float32", ["N", 3]);
  const w = (name: keyof typeof weights, shape: number[]) => constant("float32", shape, weights[name], name);
  const h = relu(gemm(z, w("gen.0.weight", [4, 3]), { c: w("gen.0.bias", [4]), transB: true }));
  const y = last(gemm(h, w("gen.2.weight", [5, 4]), { c: w("gen.2.bias", [5]), transB: true }));
  const bytes = encodeModel(build(about, { inputs: [z], outputs: { picture: y } }));
  return { network, file: decodeModel(bytes, { name: "g.onnx" }) };
}

const role: Role = { input: [3], output: 5 };
const options = { source: "g.onnx" };

test("its parameters are the file's initializers, by their names and numbers", () => {
  const { parameters, buffers } = declarationsOf(fileNetwork("generator", perceptron().file, role, options));
  expect(parameters.map(({ name, shape }) => [name, shape])).toEqual([
    ["gen.0.weight", [4, 3]],
    ["gen.0.bias", [4]],
    ["gen.2.weight", [5, 4]],
    ["gen.2.bias", [5]],
  ]);
  for (const { name, init } of parameters)
    expect(init).toEqual({ kind: "given", values: weights[name as keyof typeof weights] });
  expect(buffers).toEqual([]);
});

test("--fresh draws new weights, by the kind of each layer", () => {
  const fresh = fileNetwork("generator", perceptron().file, role, { ...options, fresh: true });
  expect(declarationsOf(fresh).parameters.map(({ init }) => init)).toEqual([
    { kind: "uniform", bound: 1 / Math.sqrt(3) },
    { kind: "constant", value: 0 },
    { kind: "uniform", bound: 1 / 2 },
    { kind: "constant", value: 0 },
  ]);
});

test("it computes what the same network written here does", async () => {
  const { network, file } = perceptron();
  const z = constant("float32", [2, 3], numbers(6, 5));
  const { parameters } = declarationsOf(network);
  const tensors = new Map(
    parameters.map(({ name, shape }) => [
      name,
      constant("float32", shape, weights[name as keyof typeof weights], name),
    ]),
  );
  const given = { training: true, buffers: new Map(), derived: (_: string, make: () => typeof z) => make() };
  const own = bind(network, tensors, given).forward(z);
  const read = bind(fileNetwork("generator", file, role, options), tensors, given).forward(z);
  const results = await evaluate({ own: reshape(own, [2, 5]), read, difference: add(read, own) }, {});
  expect(results.read.data).toEqual(results.own.data);
});

test("an operator at the end that belongs to the loss is left out, and said", () => {
  const last = (file: ReturnType<typeof perceptron>["file"]) =>
    fileNetwork("discriminator", file, { ...role, without: "Sigmoid" }, options).notes;
  expect(last(perceptron(sigmoid).file)).toEqual([
    "its last operator, Sigmoid, is left out: the loss works on logits",
  ]);
  expect(last(perceptron().file)).toEqual([]);
});

test.each<[string, Role, string]>([
  [
    "samples of another size",
    { input: [4], output: 5 },
    "g.onnx: no input takes 4 numbers for each sample; the recipe feeds the generator samples [batch, 4], the file has noise float32 [N, 3]",
  ],
  [
    "another output",
    { input: [3], output: 784 },
    "g.onnx: the recipe expects 784 numbers for each sample of the generator, the file's outputs are picture [N, 5]",
  ],
  [
    "no input for the class",
    { input: [3], output: 5, classes: 10 },
    "g.onnx: no input takes the class of each sample; the recipe feeds the generator samples [batch, 3] and a label [batch]",
  ],
])("%s is refused, and both are said", (_, wrong, message) => {
  expect(() => fileNetwork("generator", perceptron().file, wrong, options)).toThrow(message);
});
