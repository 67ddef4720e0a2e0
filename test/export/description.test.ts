import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readGenerator } from "../../src/export/description.js";
import { randomStream } from "../../src/tensors/random.js";

const shipped = new Uint8Array(await readFile("models/generator.onnx"));

describe("a file that is read as a generator", () => {
  test("tells its form and where it comes from", () => {
    expect(readGenerator(shipped, "g.onnx")).toMatchObject({
      latent: 33,
      classes: 10,
      image: { channels: 1, height: 28, width: 28 },
      range: [-1, 1],
      metadata: { recipe: "vae-gan" },
    });
  });

  test.each([0, 1, 7, 100, 5000, shipped.length - 1])("is refused when it ends after %i bytes", (end) => {
    expect(() => readGenerator(shipped.subarray(0, end), "g.onnx")).toThrow(/^g\.onnx: /);
  });

  test("is refused whatever else it is", () => {
    const random = randomStream(1, "bytes");
    for (let i = 0; i < 2000; i++) {
      const bytes = Uint8Array.from({ length: 1 + random.below(60) }, () => random.below(256));
      expect(() => readGenerator(bytes, "g.onnx")).toThrow(/^g\.onnx: /);
    }
  });
});
