import { describe, expect, test } from "vitest";
import { dot, length, slerp } from "../../../src/export/latent.js";
import { drawLatents } from "../../../src/recipes/latents.js";
import { randomStream } from "../../../src/tensors/random.js";
import { floatsIn } from "../../../src/tensors/tensor.js";
import { LARGEST_COUNT, readSettings, writeSettings } from "../../../web-demo/sampling/address.js";
import { principalDirections } from "../../../web-demo/sampling/directions.js";
import { layoutOf } from "../../../web-demo/sampling/layout.js";
import { between, feedsOf, oneOf } from "../../../web-demo/sampling/point.js";
import { counted, wordsOf } from "../../../web-demo/sampling/words.js";

const normal = (count: number, ...keys: string[]) => {
  return floatsIn(drawLatents(randomStream(3, ...keys), 1, { latent: count }), "z");
};

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
      {
        seed: Number.MAX_SAFE_INTEGER,
        count: 400,
        digit: 3,
        model: "a b&c.onnx",
        number: "7421",
        walk: [3, 12] as const,
      },
    ]) {
      expect(readSettings(writeSettings(settings))).toEqual(settings);
    }
  });

  test.each(["?seed=-1", "?seed=1e3", "?seed=x", "?seed=", `?count=${LARGEST_COUNT + 1}`, "?count=0", ""])(
    "passes over what makes no sense: %s",
    (query) => expect(readSettings(query)).toMatchObject({ seed: 0, count: 120 }),
  );
});

describe("a sheet", () => {
  test("has a row for each class, and a style in each column", () => {
    const { count, columns, labels, latents, rowsAreClasses } = layoutOf(120, 10);
    expect([count, columns, rowsAreClasses]).toEqual([120, 12, true]);
    expect(labels?.slice(11, 14)).toEqual([0, 1, 1]);
    expect(latents.slice(11, 14)).toEqual([11, 0, 1]);
  });

  test.each([
    ["few pictures", layoutOf(16, 10), [0, 1, 2]],
    ["many classes", layoutOf(400, 30), [0, 1, 2]],
    ["one class", layoutOf(16, 10, 3), [3, 3, 3]],
    ["no classes", layoutOf(16), undefined],
  ] as const)("of %s is what sample draws", (_, { labels, latents, rowsAreClasses }, first) => {
    expect(rowsAreClasses).toBe(false);
    expect(labels?.slice(0, 3)).toEqual(first);
    expect(latents.slice(0, 3)).toEqual([0, 1, 2]);
  });
});

describe("points", () => {
  const [a, b] = [normal(8, "a"), normal(8, "b")];
  const generator = {
    latent: 8,
    classes: 3,
    image: { channels: 1, height: 1, width: 1 },
    range: [0, 1],
  } as const;

  test("between two classes are told a part of each, where the model mixes", () => {
    const half = between({ z: a, weights: oneOf(3, 0) }, { z: b, weights: oneOf(3, 2) }, 0.25);
    expect(half.weights).toEqual(Float32Array.of(0.75, 0, 0.25));
    expect(feedsOf([half], generator, true).get("label")).toEqual({
      dtype: "float32",
      shape: [1, 3],
      data: Float32Array.of(0.75, 0, 0.25),
    });
    expect(feedsOf([half], generator, false).get("label")?.data).toEqual(BigInt64Array.of(0n));
    expect(feedsOf([{ z: a }], { ...generator, classes: undefined }, false).has("label")).toBe(false);
  });
});

describe("words", () => {
  test("are those of what the model draws", () => {
    const digits = wordsOf({ classes: 10, metadata: { data: "mnist" } });
    expect(digits).toMatchObject({ title: "Digits that nobody wrote", typed: true, kind: "Digit" });
    expect([counted(1, digits), counted(64, digits)]).toEqual(["1 digit", "64 digits"]);
    const shapes = wordsOf({ classes: 2, classNames: ["circle", "square"], metadata: { data: "a/shapes" } });
    expect(shapes).toMatchObject({
      title: "Pictures after shapes",
      names: ["circle", "square"],
      typed: false,
    });
    expect(counted(64, shapes)).toBe("64 pictures");
    expect(wordsOf({ metadata: {} }).title).toBe("Pictures that nobody drew");
  });
});
