import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { summarizeModel } from "../../src/graph/index.js";
import { drawLatents } from "../../src/training/latents.js";
import { randomStream } from "../../src/training/random.js";
import { LARGEST_COUNT, readSettings, writeSettings } from "../../web-demo/address.js";
import { principalDirections } from "../../web-demo/directions.js";
import { dot, length, slerp } from "../../web-demo/latent.js";
import { readInterface } from "../../web-demo/onnx-file.js";
import { tinyArtifacts, tinyDesign } from "../helpers/design.js";

const normal = (count: number, ...keys: string[]) => {
  const { z } = drawLatents(randomStream(3, ...keys), 1, { latent: count });
  return z.data as Float32Array;
};

describe("the reader of ONNX files", () => {
  test.each([
    ["the shipped generator", () => readFile("models/generator.onnx")],
    ["a training graph", async () => tinyArtifacts(tinyDesign()).train],
  ])("reads of %s what protobuf reads", async (_, load) => {
    const bytes = new Uint8Array(await load());
    const { metadata, inputs, outputs } = summarizeModel(bytes);
    const ports = (all: typeof inputs) => all.map(({ name, shape }) => ({ name, shape }));
    expect(readInterface(bytes)).toEqual({ metadata, inputs: ports(inputs), outputs: ports(outputs) });
  });

  test("takes no end for a good one: every cut of a file is refused or lacks its end", async () => {
    const bytes = new Uint8Array(await readFile("models/generator.onnx"));
    for (const end of [0, 1, 7, 100, 5000, bytes.length - 1]) {
      expect(() => readInterface(bytes.subarray(0, end)), String(end)).toThrow(/it breaks off|no graph/);
    }
  });

  test("ends on any bytes", () => {
    const random = randomStream(1, "bytes");
    for (let i = 0; i < 2000; i++) {
      const bytes = Uint8Array.from({ length: 1 + random.below(60) }, () => random.below(256));
      expect(() => readInterface(bytes)).toThrow(/breaks off|goes wrong|no graph|no field/);
    }
  });
});

describe("latents", () => {
  test("between two lie on the arc between them", () => {
    const [a, b] = [normal(100, "a"), normal(100, "b")];
    expect(slerp(a, b, 0)).toEqual(a);
    for (const [i, value] of slerp(a, b, 1).entries()) expect(value).toBeCloseTo(b[i], 5);
    const half = slerp(a, b, 0.5);
    expect(length(half)).toBeCloseTo((length(a) + length(b)) / 2, 4);
    const angle = (x: Float32Array, y: Float32Array) => Math.acos(dot(x, y) / length(x) / length(y));
    expect(angle(a, half)).toBeCloseTo(angle(half, b), 5);
  });

  test("that are equal, opposite or zero give numbers", () => {
    const a = normal(5, "a");
    for (const b of [a, a.map((value) => -value), new Float32Array(5)]) {
      expect(slerp(a, b, 0.3).every(Number.isFinite)).toBe(true);
    }
    expect(slerp(a, a, 0.3)).toEqual(a.map((value) => Math.fround(0.7 * value + 0.3 * value)));
  });
});

describe("directions", () => {
  test("are those that the pictures follow, strongest first, whatever the class adds", () => {
    const [count, latent] = [400, 6];
    const random = randomStream(5, "test");
    const latents = Float32Array.from({ length: count * latent }, () => random.normal());
    const labels = BigInt64Array.from({ length: count }, (_, i) => BigInt(i % 2));
    // Three pixels: 5 times number 4, twice number 1, and the class, which is louder than both.
    const images = Float32Array.from({ length: count * 3 }, (_, i) => {
      const row = Math.floor(i / 3);
      return [5 * latents[row * latent + 4], 2 * latents[row * latent + 1], 100 * Number(labels[row])][i % 3];
    });
    const [first, second] = principalDirections({ count, latents, images, labels }, 2);
    expect(Math.abs(first[4])).toBeGreaterThan(0.97);
    expect(Math.abs(second[1])).toBeGreaterThan(0.97);
    expect(dot(first, second)).toBeCloseTo(0, 5);
    expect(length(second)).toBeCloseTo(1, 5);
  });
});

describe("the address", () => {
  test("gives back what was written to it", () => {
    for (const settings of [
      { seed: 7, count: 16, digit: undefined, model: undefined },
      { seed: Number.MAX_SAFE_INTEGER, count: 400, digit: 3, model: "a b&c.onnx" },
    ]) {
      expect(readSettings(writeSettings(settings))).toEqual(settings);
    }
  });

  test.each(["?seed=-1", "?seed=1e3", "?seed=x", "?seed=", `?count=${LARGEST_COUNT + 1}`, "?count=0", ""])(
    "passes over what makes no sense: %s",
    (query) => expect(readSettings(query)).toMatchObject({ seed: 0, count: 64 }),
  );
});
