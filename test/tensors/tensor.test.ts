import { describe, expect, expectTypeOf, test } from "vitest";
import { build, constant, input, mul } from "../../src/graph/index.js";
import { encodeModel } from "../../src/onnx/index.js";
import { Session } from "../../src/runtime/session.node.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/tensors/safetensors.js";
import {
  dtypeNames,
  elementsOf,
  faultOf,
  floatsIn,
  type NamedTensor,
  type Tensor,
  type Tensors,
  tensorIn,
  tensorsOf,
  zeros,
} from "../../src/tensors/tensor.js";
import { about } from "../helpers/run.js";

describe("the compiler", () => {
  test("refuses data of another dtype", () => {
    // @ts-expect-error int64 needs a BigInt64Array
    expect(() => constant("int64", [2], new Float32Array(2))).toThrow(/int64 needs a BigInt64Array/);
    // @ts-expect-error float32 needs a Float32Array
    expect(() => constant("float32", [2], new Float64Array(2))).toThrow(/float32 needs a Float32Array/);
    // @ts-expect-error bool needs a Uint8Array
    const wrong: Tensor = { dtype: "bool", shape: [1], data: new Int32Array(1) };
    expect(faultOf(wrong)).toBe("bool needs a Uint8Array");
  });

  test("knows the array of a dtype", () => {
    const tensor = zeros("int64", [2, 3]);
    expectTypeOf(tensor.data).toEqualTypeOf<BigInt64Array>();
    expectTypeOf<NamedTensor>().toExtend<Tensor>();
    expect(tensor).toEqual({ dtype: "int64", shape: [2, 3], data: new BigInt64Array(6) });
  });
});

test.each(dtypeNames)("elements of %s are made of numbers and of bigints", (dtype) => {
  const elements = elementsOf(dtype, [0, 1n, 7]);
  expect(Array.from(elements, Number)).toEqual([0, 1, 7]);
  expect(faultOf({ dtype, shape: [3], data: elements } as Tensor)).toBeUndefined();
  expect(faultOf({ dtype, shape: [2], data: elements } as Tensor)).toBe(
    "shape [2] has 2 elements, the data 3",
  );
});

test("whole numbers beyond int64 become its bounds", () => {
  expect(elementsOf("int64", [2 ** 63, -(2 ** 70)])).toEqual(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)));
});

test("a tensor that is not there, or of another type, is named", () => {
  const tensors = tensorsOf({ z: zeros("float32", [1]), label: zeros("int64", [1]) });
  expect(floatsIn(tensors, "z")).toEqual(new Float32Array(1));
  expect(() => floatsIn(tensors, "label")).toThrow('tensor "label": is int64, not float32');
  expect(() => tensorIn(tensors, "x")).toThrow('tensor "x": there is no such tensor; use one of z, label');
});

test("names that objects would lose or move are safe, in files and in sessions", async () => {
  const tensor: Tensor = { dtype: "float32", shape: [1], data: Float32Array.of(2) };
  const names = ["b", "1", "__proto__", "0"];
  const tensors: Tensors = new Map(names.map((name) => [name, tensor]));
  const { tensors: back } = decodeSafetensors(encodeSafetensors(tensors), "file");
  expect([...back.keys()].sort()).toEqual([...names].sort());

  const inputs = ["b", "1", "0"].map((name) => input(name, "float32", [1]));
  const outputs = Object.fromEntries(inputs.map((value, i) => [`twice ${i}`, mul(value, 2)]));
  const model = encodeModel(build(about, { inputs, outputs }));
  const session = await Session.open(model, { ep: "cpu", threads: 1 }, "names.onnx");
  try {
    const feeds = new Map([...tensors].filter(([name]) => name !== "__proto__"));
    expect([...(await session.run(feeds)).keys()]).toEqual(["twice 0", "twice 1", "twice 2"]);
  } finally {
    await session.close();
  }
});
