import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { summarizeModel } from "../../src/onnx/index.js";
import { metadataOf } from "../../src/onnx/metadata.js";

test.each(["conditional", "dcgan", "generator"])(
  "the small reader finds what protobuf's finds in %s.onnx",
  async (name) => {
    const model = await readFile(`models/${name}.onnx`);
    expect(metadataOf(model)).toEqual(summarizeModel(model).metadata);
    expect(metadataOf(model).latent).toMatch(/^\d+$/);
  },
);

test("what is no model is refused", () => {
  expect(() => metadataOf(Uint8Array.of(0x12, 0xff))).toThrow("ends too early");
  expect(() => metadataOf(Uint8Array.of(0x0f))).toThrow("no ONNX model");
});
