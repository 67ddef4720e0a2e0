import { expect, test } from "vitest";
import { describeForeign } from "../../src/export/foreign.js";

const port = (
  name: string,
  dtype: "float32" | "int64" | "uint8",
  ...shape: readonly (string | number)[]
) => ({
  name,
  dtype,
  shape,
});
const summary = (
  inputs: readonly ReturnType<typeof port>[],
  outputs: readonly ReturnType<typeof port>[],
  operators: readonly string[] = ["Gemm", "Tanh"],
) => ({ producer: "pytorch", irVersion: 8, opsets: { "": 17 }, metadata: {}, inputs, outputs, operators });

test.each([
  [
    "a DCGAN of PyTorch",
    port("input", "float32", "n", 100, 1, 1),
    port("out", "float32", "n", 3, 64, 64),
    3,
    64,
  ],
  ["pictures laid flat", port("noise", "float32", 1, 64), port("fc", "float32", 1, 784), 1, 28],
  ["colours laid flat", port("noise", "float32", "n", 64), port("fc", "float32", "n", 3072), 3, 32],
  ["colours that come last", port("x", "float32", "n", 128), port("y", "float32", "n", 32, 32, 3), 3, 32],
  ["no channels", port("x", "float32", "n", 128), port("y", "float32", "n", 28, 28), 1, 28],
] as const)("%s is found by its shapes", (_, z, image, channels, side) => {
  const found = describeForeign(summary([z], [image]), "g.onnx");
  expect(found.image).toEqual({ channels, height: side, width: side });
  expect(found.latent).toBe(z.shape[1]);
  expect(found.range).toEqual([-1, 1]);
  expect(found.ports).toMatchObject({
    input: z.name,
    inputShape: z.shape.slice(1),
    output: image.name,
    channelsLast: image.shape.at(-1) === 3,
    single: z.shape[0] === 1,
  });
});

test("classes and a range from 0 to 1 are found, too", () => {
  const found = describeForeign(
    summary(
      [port("z", "float32", "n", 8), port("y", "int64", "n")],
      [port("mask", "uint8", "n"), port("x", "float32", "n", 1, 8, 8)],
      ["Gemm", "Tanh", "Sigmoid"],
    ),
    "g.onnx",
  );
  expect(found).toMatchObject({
    classes: 10,
    range: [0, 1],
    ports: { label: "y", labelType: "int64", output: "x" },
  });
});

test.each([
  [
    [port("x", "float32", "n", 3, "h", "w")],
    [port("y", "float32", "n", 10)],
    /takes x float32 \[n,3,h,w\], and/,
  ],
  [
    [port("a", "float32", "n", 4), port("b", "float32", "n", 4)],
    [port("y", "float32", "n", 784)],
    /takes a float32/,
  ],
  [
    [port("z", "float32", "n", 4)],
    [port("y", "float32", "n", 10)],
    /gives y float32 \[n,10\], and a picture is/,
  ],
] as const)(
  "what is not a generator is refused by what it takes or gives: %j",
  (inputs, outputs, message) => {
    expect(() => describeForeign(summary(inputs, outputs), "g.onnx")).toThrow(message);
  },
);
