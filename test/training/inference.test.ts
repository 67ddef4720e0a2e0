import { describe, expect, test } from "vitest";
import type { Model } from "../../src/graph/index.js";
import { encodeModel } from "../../src/onnx/index.js";
import { floatsIn, type Tensor, type Tensors, tensorIn } from "../../src/tensors/tensor.js";
import { buildCritic, buildInference, buildReconstructor } from "../../src/training/inference.js";
import { initialState } from "../../src/training/state.js";
import { plainGenerator } from "../helpers/plain-conv.js";
import { colour, designed, grey, randomFeeds, runModel, trained, weightsOf } from "../helpers/recipes.js";

const image = grey(8);
const size = { latent: 3, width: 2 };

const interfaceOf = ({ graph: { inputs, outputs } }: Model) =>
  [...inputs, ...outputs].map(({ name, dtype, shape }) => [name, dtype, shape.join()]);
const normals = (count: number) => Float32Array.from({ length: count }, (_, i) => 2 * Math.sin(3 + 5 * i));

test("the weights are inputs, by their names in the state", () => {
  const parameters = tensorIn(initialState(designed("vanilla", size, colour(4)), 1), "generator/parameters");
  expect(interfaceOf(buildInference(designed("vanilla", size, colour(4)), { doc: "" }))).toEqual([
    ["z", "float32", "batch,3"],
    ["generator/parameters", "float32", `${parameters.shape}`],
    ["image", "float32", "batch,3,4,4"],
  ]);
  const averaged = designed("conditional", { ...size, depth: 1, ema: 0.5, classes: 4 }, grey(4));
  expect(interfaceOf(buildInference(averaged, { doc: "" })).map(([name]) => name)).toEqual([
    ...["z", "label", "generator/average", "generator/bn1.running_mean", "generator/bn1.running_var"],
    "image",
  ]);
});

describe("the conditional generator", () => {
  const classes = 3;
  const design = designed("conditional", { ...size, classes }, image);
  const count = 4;

  async function drawn(state: Tensors, labels: readonly number[]): Promise<Float32Array> {
    const model = buildInference(design, { doc: "" });
    const names = model.graph.inputs.map(({ name }) => name);
    const feeds = new Map<string, Tensor>([...state].filter(([name]) => names.includes(name)))
      .set("z", { dtype: "float32", shape: [count, 3], data: normals(count * 3) })
      .set("label", { dtype: "int64", shape: [count], data: BigInt64Array.from(labels, BigInt) });
    return floatsIn(await runModel(encodeModel(model), feeds), "image");
  }

  test("draws with running statistics what plain loops in float64 draw", async () => {
    const { state } = await trained(design, randomFeeds(design, image, 3, 6), initialState(design, 1));
    const labels = [2, 0, 1, 2];
    const expected = plainGenerator(
      weightsOf(design, "generator", state),
      { channels: 1, side: 8, depth: 2, classes },
      { data: Float64Array.from(normals(count * 3)), count, labels, training: false },
    );
    const images = await drawn(state, labels);
    const differences = expected.map((value, i) => Math.abs(value - images[i]));
    expect(images).toHaveLength(expected.length);
    expect(Math.max(...differences)).toBeLessThan(1e-5);
  });

  test("draws another image for another label, and touches no other", async () => {
    const state = initialState(design, 1);
    const [a, b] = [await drawn(state, [0, 1, 2, 0]), await drawn(state, [0, 1, 1, 0])];
    const pixels = a.length / count;
    const changed = Array.from({ length: count }, (_, n) => {
      const range = [n * pixels, (n + 1) * pixels] as const;
      return a.slice(...range).some((value, i) => value !== b[range[0] + i]);
    });
    expect(changed).toEqual([false, false, true, false]);
  });
});

test("only autoencoders show what they make of images", () => {
  const vae = buildReconstructor(designed("vae", size, image), { doc: "" });
  const parameters = tensorIn(initialState(designed("vae", size, image), 1), "vae/parameters");
  expect(vae && interfaceOf(vae)).toEqual([
    ["x", "uint8", "batch,64"],
    ["vae/parameters", "float32", `${parameters.shape}`],
    ["image", "float32", "batch,1,8,8"],
  ]);
  expect(buildReconstructor(designed("dcgan", size, image), { doc: "" })).toBeUndefined();
});

describe("the critic", () => {
  test.each([
    ["vanilla", size],
    ["conditional", { ...size, classes: 3 }],
    ["wgan-gp", size],
  ] as const)("of %s says of each image what training reports of all", async (recipe, settings) => {
    const design = designed(recipe, settings, image);
    const feeds = randomFeeds(design, image, 1, 6);
    const state = initialState(design, 1);
    const { metrics } = await trained(design, feeds, state);
    const model = buildCritic(design, { doc: "" })!;
    const [first] = [tensorIn(feeds, "x")];
    const bytes = first.data.subarray(0, 6 * 64) as Uint8Array;
    const x = Float32Array.from(bytes, (byte) => byte / 127.5 - 1);
    const label = BigInt64Array.from({ length: 6 }, (_, i) => BigInt(Number(feeds.get("y_d")?.data[i] ?? 0)));
    const all = new Map<string, Tensor>([
      ...state,
      ["x", { dtype: "float32", shape: [6, 1, 8, 8], data: x }],
      ["label", { dtype: "int64", shape: [6], data: label }],
    ]);
    const names = model.graph.inputs.map(({ name }) => name);
    const score = floatsIn(
      await runModel(encodeModel(model), new Map(names.map((name) => [name, tensorIn(all, name)]))),
      "score",
    );
    expect(score).toHaveLength(6);
    expect(new Set(score).size).toBeGreaterThan(1);
    if (!design.critic?.probability) return;
    const mean = score.reduce((a, b) => a + b, 0) / 6;
    expect(mean).toBeCloseTo(Number(tensorIn(metrics, "real_score").data[0]), 5);
  });

  test("is there only where a network judges", () => {
    expect(buildCritic(designed("vae", { latent: 3, width: 2 }, image), { doc: "" })).toBeUndefined();
  });
});
