import { expect, test } from "vitest";
import {
  add,
  build,
  concat,
  constant,
  div,
  exp,
  gradients,
  input,
  leakyReluOp,
  mul,
  neg,
  scalar,
  split,
  sub,
  sum,
  tanh,
  type Value,
  withScope,
} from "../../src/graph/index.js";
import { about, evaluate, modelOf } from "../helpers/run.js";

const x = input("x", "float32", ["batch", 2], "what x is");
const feeds = { x: [1, 2, 3, 4] };

/** `type(inputs) -> outputs` of every node, in order. */
function written(outputs: Readonly<Record<string, Value>>): string[] {
  return modelOf(outputs).graph.nodes.map(
    ({ type, inputs, outputs }) => `${type}(${inputs.join(", ")}) -> ${outputs.join(", ")}`,
  );
}

test("nodes are named by their scope, and once", () => {
  const layer = (h: Value) => withScope("layer", () => tanh(neg(h)));
  const y = withScope("net", () => layer(layer(x)));
  expect(modelOf({ y }).graph.nodes.map(({ name }) => name)).toEqual([
    "net/layer/Neg",
    "net/layer/Tanh",
    "net/layer/Neg_2",
    "net/layer/Tanh_2",
  ]);
  const [g] = gradients(sum(y), [x]);
  const scopes = modelOf({ g }).graph.nodes.map(({ name }) => name.replace(/[^/]+$/, ""));
  expect(new Set(scopes)).toEqual(new Set(["net/layer/", "gradients/net/layer/", "gradients/"]));
});

test("a scope ends with the function that it names, also when that throws", () => {
  const failing = () => withScope("inner", () => add(x, input("y", "float32", [3])));
  expect(failing).toThrow("Add");
  expect(modelOf({ y: neg(x) }).graph.nodes[0].name).toBe("Neg");
});

test("a number appended to a name never makes another's name", () => {
  const named = (name: string, start: number) =>
    constant("float32", [2], Float32Array.of(start, start), name);
  // Equal weights under names of their own stay apart too.
  const parts = [named("w", 1), named("w", 2), named("v", 2), named("w_2", 3), named("y", 4), named("x", 5)];
  const { initializers } = modelOf({ y: parts.reduce((total, part) => add(total, part), x) }).graph;
  const names = initializers.map(({ name }) => name);
  expect(new Set(names).size).toBe(parts.length);
  expect(names.filter((name) => name === "x" || name === "y")).toEqual([]);
});

test("inputs keep their names, types and documentation; outputs take their keys", () => {
  const { graph, ...rest } = build(about, { inputs: [x], outputs: { "next/x": neg(x) } });
  expect(rest).toEqual(about);
  expect(graph).toEqual({
    name: about.name,
    inputs: [{ name: "x", dtype: "float32", shape: ["batch", 2], doc: "what x is" }],
    outputs: [{ name: "next/x", dtype: "float32", shape: ["batch", 2], doc: undefined }],
    initializers: [],
    nodes: [
      { name: "Neg", type: "Neg", inputs: ["x"], outputs: ["next/x"], attributes: [], body: undefined },
    ],
    values: [],
  });
});

test("the same operator on the same inputs is written once", async () => {
  const twice = () => exp(mul(x, 2));
  expect(written({ y: sub(twice(), neg(twice())) })).toEqual([
    "Mul(x, float32:2) -> Mul",
    "Exp(Mul) -> Exp",
    "Neg(Exp) -> Neg",
    "Sub(Exp, Neg) -> y",
  ]);
  // Other attributes, other operators, other inputs: not the same.
  const parts = [...split(x, 0, 1), ...split(x, 1, 2), ...split(x, 1, [1, 1])];
  expect(written({ y: add(parts[1], parts[4]) })).toEqual([
    "Split(x) -> Split.0, Split.1",
    "Add(Split.0, Split.1) -> y",
  ]);
  expect(written({ y: add(sum(x, [1]), sum(x, [1], { keepdims: true })) })).toHaveLength(3);
});

test("what no output reaches is not written", () => {
  const unused = mul(x, 3);
  expect(written({ y: neg(x) })).toEqual(["Neg(x) -> y"]);
  expect(written({ y: unused })).toHaveLength(1);
  const { graph } = build(about, { inputs: [x, input("idle", "float32", [])], outputs: { y: neg(x) } });
  expect(graph.inputs.map(({ name }) => name)).toEqual(["x", "idle"]);
});

test("equal small constants are written once, named by what they hold", () => {
  const y = add(add(mul(x, 0.2), mul(x, 0.2)), mul(neg(x), 0.2));
  const pair = () => constant("float32", [2], Float32Array.of(1, -0.5));
  const model = modelOf({ y: mul(add(y, pair()), pair()) });
  expect(model.graph.initializers.map(({ name }) => name)).toEqual(["float32:0.2", "float32:[1,-0.5]"]);
  // Of another type or shape, it is another constant.
  const column = constant("float32", [2, 1], Float32Array.of(1, -0.5));
  const other = input("d", "float64", []);
  const apart = modelOf({ a: mul(x, 2), b: mul(other, 2), c: sub(column, pair()) });
  expect(apart.graph.initializers).toHaveLength(4);
});

test("constants hold what they were made of, to the last bit", async () => {
  const many = Float64Array.from({ length: 40 }, (_, i) => Math.sqrt(i));
  const results = await evaluate({
    scalar: add(scalar(0.1, "float64"), scalar(0, "float64")),
    part: constant("float64", [20], many.subarray(20)),
    whole: mul(scalar(2 ** 40, "int64"), 3),
  });
  expect(results.scalar.data).toEqual(Float64Array.of(0.1));
  expect(results.part.data).toEqual(many.slice(20));
  expect(results.whole.data).toEqual(BigInt64Array.of(3n * 2n ** 40n));
});

test("outputs may be inputs, constants and each other", async () => {
  const y = neg(x);
  const outputs = { a: x, b: constant("float32", [2], Float32Array.of(5, 6)), c: y, d: y, e: x };
  const { nodes } = modelOf(outputs).graph;
  expect(nodes.map(({ type }) => type).sort()).toEqual([
    "Identity",
    "Identity",
    "Identity",
    "Identity",
    "Neg",
  ]);
  const results = await evaluate(outputs, feeds);
  const found = Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]);
  expect(Object.fromEntries(found)).toEqual({
    a: [1, 2, 3, 4],
    b: [5, 6],
    c: [-1, -2, -3, -4],
    d: [-1, -2, -3, -4],
    e: [1, 2, 3, 4],
  });
});

test("twins that are both outputs are both there", async () => {
  const results = await evaluate({ a: neg(x), b: neg(x), c: exp(neg(x)) }, feeds);
  expect(Array.from(results.a.data, Number)).toEqual([-1, -2, -3, -4]);
  expect(Array.from(results.b.data, Number)).toEqual([-1, -2, -3, -4]);
  expect(results.c.data[0]).toBeCloseTo(Math.exp(-1), 6);
});

test("a graph that cannot be built is refused", () => {
  const y = neg(x);
  expect(() => build(about, { inputs: [], outputs: { y } })).toThrow(
    "build: the input x is read by Neg but not listed; add it to inputs",
  );
  expect(() => build(about, { inputs: [x, input("x", "float32", [])], outputs: { y } })).toThrow(
    "build: two inputs are named x; rename one",
  );
  expect(() => build(about, { inputs: [x], outputs: { x: y } })).toThrow(
    "build: an input and an output are named x; rename one",
  );
  expect(() => build(about, { inputs: [y], outputs: { z: y } })).toThrow("list values of input()");
  expect(() => constant("float32", [2, 3], new Float32Array(5), "w")).toThrow(
    "constant w: shape [2, 3] has 6 elements, the data 5",
  );
});

test("0 and -0 are two numbers, in constants and attributes", async () => {
  const one = input("one", "float32", [1]);
  const { a, b } = await evaluate({ a: div(one, 0), b: div(one, -0) }, { one: [1] });
  expect([a.data[0], b.data[0]]).toEqual([Infinity, -Infinity]);
  const scaled = [NaN, Infinity, -0, 0].map((alpha) => leakyReluOp(one, { alpha }));
  expect(written({ y: concat(scaled, 0) }).filter((node) => node.startsWith("LeakyRelu"))).toHaveLength(4);
});
