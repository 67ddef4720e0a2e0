import { describe, expect, test } from "vitest";
import { build, gradients, input, type Value } from "../../src/graph/index.js";
import { differentiate, encodeModel, readModel } from "../../src/onnx/index.js";
import { modelBytes, nodeOf, tensor } from "../helpers/make-model.js";
import { about, evaluate } from "../helpers/run.js";

const w = tensor(
  "layer.weight",
  [4, 4],
  Array.from({ length: 16 }, (_, i) => i / 8),
);

/** y of a model of one input x, at some numbers. */
async function outputOf(bytes: Uint8Array, x: readonly number[]) {
  const read = readModel(bytes);
  const { y } = await evaluate({ y: read.outputs.get("y") as Value }, { x });
  return { dims: y.dims, data: Array.from(y.data, Number) };
}

test("nodes and weights keep their names, inputs and metadata as they are", () => {
  const bytes = modelBytes({
    nodes: [
      { type: "MatMul", inputs: ["x", "layer.weight"], outputs: ["h"], name: "/net/0/MatMul" },
      { type: "Relu", inputs: ["h"], outputs: ["y"], name: "node_relu" },
    ],
    initializers: [w],
  });
  const read = readModel(bytes);
  expect([...read.parameters.keys()]).toEqual(["layer.weight"]);
  expect(read.inputs.map(({ shape }) => shape)).toEqual([["batch", 4]]);
  const { graph } = build(about, { inputs: read.inputs, outputs: read.outputs });
  expect(graph.nodes.map(({ name }) => name)).toEqual(["/net/0/MatMul", "node_relu"]);
  expect(graph.initializers.map(({ name }) => name)).toEqual(["layer.weight"]);
});

test("weights of all float widths are read, raw and as typed fields", () => {
  const kinds = [
    { dataType: 1, floatData: [1.5, -2] },
    { dataType: 11, doubleData: [1.5, -2] },
    { dataType: 10, int32Data: [0x3e00, 0xc000] },
    { dataType: 16, int32Data: [0x3fc0, 0xc000] },
    { dataType: 10, rawData: new Uint8Array(Uint16Array.of(0x3e00, 0xc000).buffer) },
    { dataType: 16, rawData: new Uint8Array(Uint16Array.of(0x3fc0, 0xc000).buffer) },
  ];
  for (const kind of kinds) {
    const bytes = modelBytes({
      nodes: [{ type: "Identity", inputs: ["x"], outputs: ["y"] }],
      initializers: [{ name: "p", dims: [2], ...kind }],
    });
    const read = readModel(bytes).tensors.get("p");
    expect(Array.from(read?.data ?? [], Number), JSON.stringify(kind)).toEqual([1.5, -2]);
    expect(read?.dtype).toBe(kind.dataType === 11 ? "float64" : "float32");
  }
});

describe("shapes", () => {
  const shapeNodes = (target: string) => [
    { type: "Shape", inputs: ["x"], outputs: ["s"] },
    { type: "Gather", inputs: ["s", "zero"], outputs: ["n"], attributes: { axis: 0 } },
    { type: "Unsqueeze", inputs: ["n", "axes"], outputs: ["n1"] },
    { type: "Concat", inputs: ["n1", "two", "minus"], outputs: ["target"], attributes: { axis: 0 } },
    { type: "Reshape", inputs: ["x", target], outputs: ["y"] },
  ];
  const constants = [
    tensor("zero", [], [0], 7),
    tensor("axes", [1], [0], 7),
    tensor("two", [1], [2], 7),
    tensor("minus", [1], [-1], 7),
  ];

  test("that are computed from the batch are folded, and the batch stays a symbol", async () => {
    const bytes = modelBytes({ nodes: shapeNodes("target"), initializers: constants });
    const { inputs, outputs } = readModel(bytes);
    const y = outputs.get("y");
    expect(y?.shape).toEqual(["batch", 2, 2]);
    expect((await outputOf(bytes, [1, 2, 3, 4, 5, 6, 7, 8])).dims).toEqual([2, 2, 2]);
    const { graph } = build(about, { inputs, outputs });
    expect(graph.nodes.map(({ type }) => type)).toEqual(["Reshape"]);
  });

  test("may be numbers for symbols", () => {
    const bytes = modelBytes({ nodes: shapeNodes("target"), initializers: constants });
    const read = readModel(bytes, { dimensions: { batch: 3 } });
    expect(read.outputs.get("y")?.shape).toEqual([3, 2, 2]);
  });
});

test("small weights are not folded away: they have their gradients", async () => {
  const nodes = [
    { type: "Transpose", inputs: ["layer.weight"], outputs: ["t"], attributes: { perm: [1, 0] } },
    { type: "MatMul", inputs: ["x", "t"], outputs: ["y"] },
  ];
  const read = readModel(modelBytes({ nodes, initializers: [w] }));
  const y = read.outputs.get("y") as Value;
  const [g] = gradients(y, [read.parameters.get("layer.weight") as Value], {
    seed: input("seed", "float32", y.shape),
  });
  const found = await evaluate({ g }, { x: [1, 2, 3, 4], seed: [1, 0, 0, 2] });
  expect(Array.from(found.g.data, Number)).toEqual([1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 6, 8]);
});

describe("older forms", () => {
  test.each([
    [
      "Clip's bounds as attributes",
      9,
      { type: "Clip", attributes: { min: { float: 0 }, max: { float: 2 } } },
      [0, 1, 2, 2],
    ],
    [
      "Unsqueeze's and Squeeze's axes as attributes",
      11,
      { type: "Squeeze", attributes: { axes: [] } },
      [-1, 1, 2, 3],
    ],
    ["Softmax over all axes from one on", 9, { type: "Softmax", attributes: {} }, undefined],
    [
      "ReduceSum's axes as an attribute",
      11,
      { type: "ReduceSum", attributes: { axes: [1], keepdims: 1 } },
      [5],
    ],
    ["Pad's pads as an attribute", 9, { type: "Pad", attributes: { pads: [0, 1, 0, 0] } }, [0, -1, 1, 2, 3]],
    [
      "Slice's bounds as attributes",
      9,
      { type: "Slice", attributes: { axes: [1], starts: [1], ends: [3] } },
      [1, 2],
    ],
  ] as const)("%s (opset %i)", async (_, opset, node, expected) => {
    const bytes = modelBytes({ nodes: [{ ...node, inputs: ["x"], outputs: ["y"] }], opset });
    const { data } = await outputOf(bytes, [-1, 1, 2, 3]);
    if (expected) expect(data).toEqual(expected);
    else expect(data.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  });
});

test("functions that the model defines are put in their places, with the attributes of the call", async () => {
  const leaky = {
    name: "Twice",
    domain: "local",
    input: ["a"],
    output: ["b"],
    attribute: ["slope"],
    opsetImport: [{ domain: "", version: 17 }],
    node: [
      {
        ...nodeOf({ type: "LeakyRelu", inputs: ["a"], outputs: ["m"] }),
        attribute: [{ name: "alpha", type: 1, refAttrName: "slope" }],
      },
      nodeOf({ type: "Add", inputs: ["m", "m"], outputs: ["b"] }),
    ],
  };
  const call = {
    type: "Twice",
    domain: "local",
    inputs: ["x"],
    outputs: ["y"],
    attributes: { slope: { float: 0.5 } },
  };
  const bytes = modelBytes({ nodes: [call], functions: [leaky] });
  expect((await outputOf(bytes, [-1, 1, 2, 3])).data).toEqual([-1, 2, 4, 6]);
});

describe("what exporters write without optimization", () => {
  test("parts as sequences, of which no node is left", async () => {
    const nodes = [
      { type: "SplitToSequence", inputs: ["x", "three"], outputs: ["parts"], attributes: { axis: 1 } },
      { type: "SequenceAt", inputs: ["parts", "last"], outputs: ["end"] },
      { type: "SequenceAt", inputs: ["parts", "zero"], outputs: ["start"] },
      { type: "Concat", inputs: ["end", "start"], outputs: ["y"], attributes: { axis: 1 } },
    ];
    const numbers = { three: 3, last: -1, zero: 0 };
    const initializers = Object.entries(numbers).map(([name, number]) => tensor(name, [], [number], 7));
    const bytes = modelBytes({ nodes, initializers });
    expect((await outputOf(bytes, [1, 2, 3, 4])).data).toEqual([4, 1, 2, 3]);
    const { inputs, outputs } = readModel(bytes);
    const { nodes: written } = build(about, { inputs, outputs }).graph;
    expect(written.map(({ type }) => type)).toEqual(["Split", "Concat"]);
    const asOne = [nodes[0], { type: "Relu", inputs: ["parts"], outputs: ["y"] }];
    expect(() => readModel(modelBytes({ nodes: asOne, initializers }))).toThrow("input 0 is a sequence");
  });

  test("a count in the type of something computed, and an end beyond all axes", async () => {
    const nodes = [
      { type: "Constant", inputs: [], outputs: ["limit"], attributes: { value_float: { float: 4 } } },
      { type: "CastLike", inputs: ["limit", "one"], outputs: ["n"] },
      { type: "Range", inputs: ["zero", "n", "step"], outputs: ["places"] },
      { type: "Gather", inputs: ["layer.weight", "places"], outputs: ["rows"] },
      { type: "Add", inputs: ["x", "rows"], outputs: ["sum"] },
      { type: "Unsqueeze", inputs: ["far", "axes"], outputs: ["end"] },
      { type: "Slice", inputs: ["sum", "starts", "end", "starts"], outputs: ["y"] },
    ];
    const initializers = [
      ...Object.entries({ one: 1, zero: 0, step: 1 }).map(([name, number]) => tensor(name, [], [number], 7)),
      { ...tensor("far", [], [0], 7), rawData: new Uint8Array(BigInt64Array.of(2n ** 63n - 1n).buffer) },
      tensor("axes", [1], [0], 7),
      tensor("starts", [1], [1], 7),
      w,
    ];
    const { outputs } = readModel(modelBytes({ nodes, initializers, inputs: { x: [4, 4] } }));
    expect(outputs.get("y")?.shape).toEqual([4, 3]);
  });
});

describe("what cannot be read is one line that names node, operator and opset", () => {
  const relu = { type: "Relu", inputs: ["x"], outputs: ["y"], name: "r" };
  test.each<[string, Uint8Array, string]>([
    ["bytes that are no model", new TextEncoder().encode("hello world, no model"), "is not an ONNX model"],
    ["a model cut off", modelBytes({ nodes: [relu] }).slice(0, 60), "is not an ONNX model, or is truncated"],
    ["no bytes", new Uint8Array(), "it has no graph"],
    [
      "an unknown operator",
      modelBytes({ nodes: [{ ...relu, type: "Foo" }] }),
      "node r (Foo, opset 17): the operator is not supported",
    ],
    [
      "another domain",
      modelBytes({ nodes: [{ ...relu, domain: "com.x" }] }),
      "node r (com.x.Relu, opset 0): operators of com.x are not supported",
    ],
    [
      "a quantised operator",
      modelBytes({ nodes: [{ ...relu, type: "QuantizeLinear" }] }),
      "quantised operators have no gradient",
    ],
    [
      "a circle",
      modelBytes({
        nodes: [
          { ...relu, inputs: ["z"] },
          { type: "Relu", inputs: ["y"], outputs: ["z"] },
        ],
      }),
      "it reads z, which no node before it makes",
    ],
    [
      "an output that nothing makes",
      modelBytes({ nodes: [relu], outputs: ["q"] }),
      "output q: no node makes it",
    ],
    [
      "an attribute of another type",
      modelBytes({ nodes: [{ ...relu, type: "Softmax", attributes: { axis: "1" } }] }),
      "the attribute axis is string, not int",
    ],
    [
      "an axis that is none",
      modelBytes({ nodes: [{ ...relu, type: "Softmax", attributes: { axis: 9 } }] }),
      "axis 9 of a value of rank 2",
    ],
    [
      "sizes that lie",
      modelBytes({ nodes: [relu], initializers: [{ ...w, dims: [2 ** 40, 2 ** 20] }] }),
      "tensor layer.weight: has 64 bytes",
    ],
    [
      "negative sizes",
      modelBytes({ nodes: [relu], initializers: [{ ...w, dims: [-4, 4] }] }),
      "tensor layer.weight: has the shape [-4, 4]",
    ],
    [
      "int4",
      modelBytes({
        nodes: [relu],
        initializers: [{ name: "q", dims: [2], dataType: 22, rawData: Uint8Array.of(1) }],
      }),
      "tensor q: has elements of int4",
    ],
    [
      "weights elsewhere",
      modelBytes({
        nodes: [relu],
        initializers: [
          {
            name: "q",
            dims: [2],
            dataType: 1,
            dataLocation: 1,
            externalData: [{ key: "location", value: "q.bin" }],
          },
        ],
      }),
      "tensor q: lies in another file, q.bin",
    ],
    [
      "a type that contradicts the nodes",
      modelBytes({ nodes: [relu], types: { y: ["batch", 5] } }),
      "node r (Relu, opset 17): value y: is declared as float32 [batch, 5], and is float32 [batch, 4]",
    ],
    [
      "a rank that contradicts the nodes",
      modelBytes({
        nodes: [relu, { type: "Abs", inputs: ["y"], outputs: ["z"] }],
        types: { y: [4] },
        outputs: ["z"],
      }),
      "value y: is declared as float32 [4], and is float32 [batch, 4]",
    ],
    ["a newer opset", modelBytes({ nodes: [relu], opset: 99 }), "is of opset 99"],
    [
      "a name that breaks lines",
      modelBytes({ nodes: [{ ...relu, name: "a\nb", type: "Foo" }] }),
      "node a\\nb (Foo",
    ],
    [
      "a result that fits nowhere",
      modelBytes({
        nodes: [{ type: "Tile", inputs: ["x", "n"], outputs: ["y"], name: "t" }],
        initializers: [tensor("n", [2], [1, 2 ** 50], 7)],
      }),
      "node t (Tile, opset 17): its output of shape",
    ],
  ])("%s", (_, bytes, message) => {
    expect(() => readModel(bytes)).toThrow(message);
    expect(() => readModel(bytes)).toThrow(/^[^\n]*$/);
  });

  test("a function that calls itself", () => {
    const node = { type: "F", domain: "local", inputs: ["x"], outputs: ["y"] };
    const f = {
      name: "F",
      domain: "local",
      input: ["x"],
      output: ["y"],
      opsetImport: [{ domain: "local", version: 1 }],
      node: [nodeOf(node)],
    };
    expect(() => readModel(modelBytes({ nodes: [node], functions: [f] }))).toThrow(
      "the function calls itself",
    );
  });

  test("6,000 nodes in a row, their gradients and their bytes are no problem", () => {
    const kinds = [
      { type: "Relu", more: [] },
      { type: "Softmax", more: [] },
      { type: "Add", more: ["layer.bias"] },
      { type: "Reshape", more: ["shape"] },
      { type: "MatMul", more: ["layer.weight"] },
      { type: "ReduceMean", more: [], attributes: { axes: [1] } },
    ];
    const nodes = Array.from({ length: 6_000 }, (_, i) => {
      const { type, more, attributes } = kinds[i % kinds.length];
      const [from, to] = [i === 0 ? "x" : `v${i}`, i === 5_999 ? "y" : `v${i + 1}`];
      return {
        type,
        inputs: [from, ...more],
        outputs: [to],
        attributes,
      };
    });
    const initializers = [w, tensor("layer.bias", [4], [1, 2, 3, 4]), tensor("shape", [2], [-1, 4], 7)];
    // A mean over the row has one column: the sum with the bias has four again.
    const { model, gradients } = differentiate(modelBytes({ nodes, initializers }), about.producer);
    expect(gradients).toEqual(["layer.weight", "layer.bias"]);
    expect(encodeModel(model).length).toBeGreaterThan(1e6);
  });
});
