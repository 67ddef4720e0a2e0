import { describe, expect, test } from "vitest";
import { GanOnnxError } from "../../src/error.js";
import { exportNetwork } from "../../src/export/network.js";
import { floatsIn, tensorIn } from "../../src/tensors/tensor.js";
import { averageState, parametersState } from "../../src/training/names.js";
import { initialState } from "../../src/training/state.js";
import { batchInputs } from "../../src/training/step-graph.js";
import { onCpu } from "../helpers/on-cpu.js";
import { designed, grey, randomFeeds, stepOf, trained } from "../helpers/recipes.js";

const small = { latent: 3, width: 4 };
const image = grey(4);

describe("label smoothing", () => {
  test("is refused with the hinge loss, which has no target", () => {
    const refused = () => designed("vanilla", { loss: "hinge", labelSmoothing: 0.1 });
    expect(refused).toThrow(GanOnnxError);
    expect(refused).toThrow("label smoothing: the loss hinge has no target to smooth");
    expect(() => designed("vanilla", { loss: "hinge" })).not.toThrow();
  });

  test("moves the real images' part of D's loss alone", async () => {
    const metrics = async (labelSmoothing: number) => {
      const design = designed("vanilla", { ...small, loss: "lsgan", labelSmoothing }, image);
      const state = initialState(design, 1);
      return (await trained(design, randomFeeds(design, image, 1, 5), state)).metrics;
    };
    const [sharp, smooth] = [await metrics(0), await metrics(0.2)];
    // ½·mean((a - 0.8)² - (a - 1)²) = 0.2·mean(a) - 0.18
    const moved = 0.2 * Number(tensorIn(sharp, "real_score").data[0]) - 0.18;
    expect(
      Number(tensorIn(smooth, "d_loss").data[0]) - Number(tensorIn(sharp, "d_loss").data[0]),
    ).toBeCloseTo(moved, 6);
    expect(tensorIn(smooth, "real_score")).toEqual(tensorIn(sharp, "real_score"));
  });
});

describe("the moving average", () => {
  const decay = 0.75;
  const design = designed("dcgan", { ...small, width: 2, ema: decay, learningRate: 0.1 }, image);
  const feeds = randomFeeds(design, image, 4, 6);
  const [average, parameters] = [averageState("generator"), parametersState("generator")];

  test("follows the generator: a = d·a + (1 - d)·p after every step", async () => {
    let state = initialState(design, 1);
    let expected = Float64Array.from(tensorIn(state, parameters).data, Number);
    expect(tensorIn(state, average).data).toEqual(tensorIn(state, parameters).data);
    for (let step = 0; step < 4; step++) {
      ({ state } = await trained(design, stepOf(feeds, step), state));
      const p = tensorIn(state, parameters).data;
      expected = expected.map((a, i) => decay * a + (1 - decay) * Number(p[i]));
    }
    const differences = expected.map((a, i) => Math.abs(Number(tensorIn(state, average).data[i]) - a));
    expect(Math.max(...differences)).toBeLessThan(2e-7);
    expect(tensorIn(state, average).data).not.toEqual(tensorIn(state, parameters).data);

    const atOnce = await trained(design, feeds, initialState(design, 1));
    expect(tensorIn(atOnce.state, average)).toEqual(tensorIn(state, average));
  });

  test("changes nothing in the training", async () => {
    const without = designed("dcgan", { ...small, width: 2, ema: 0, learningRate: 0.1 }, image);
    const [a, b] = [
      await trained(design, feeds, initialState(design, 1)),
      await trained(without, feeds, initialState(without, 1)),
    ];
    expect(a.metrics).toEqual(b.metrics);
    // But the running statistics, which are for the averaged weights.
    const learnt = ({ state }: typeof a) =>
      new Map([...state].filter(([name]) => name !== average && !/^generator.*running/.test(name)));
    expect(learnt(a)).toEqual(learnt(b));
    expect(b.state.has(average)).toBe(false);
  });

  test("has running statistics of its own, not of the latest weights", async () => {
    const own = { latent: 8, width: 4, learningRate: 0.02 };
    const averaged = designed("dcgan", { ...own, ema: 0.95 }, grey(8));
    const plain = designed("dcgan", own, grey(8));
    const many = randomFeeds(plain, grey(8), 80, 64);
    const [a, b] = await Promise.all(
      [averaged, plain].map((one) => trained(one, many, initialState(one, 1))),
    );
    // Latents are standard normal: the variance of fc's output is the sum of the squares of its weights.
    const weights = floatsIn(a.state, average);
    const exact = new Float64Array(floatsIn(a.state, "generator/bn1.running_var").length);
    for (let f = 0; f < exact.length; f++) {
      for (let j = 0; j < own.latent; j++) exact[f] += weights[f * own.latent + j] ** 2;
    }
    const error = ({ state }: typeof a) =>
      floatsIn(state, "generator/bn1.running_var").reduce(
        (sum, v, f) => sum + Math.abs(v / exact[f] - 1),
        0,
      ) / exact.length;
    expect(error(a)).toBeLessThan(0.75 * error(b));
  });

  test("is what is exported, beside the running statistics", async () => {
    const { state } = await trained(design, feeds, initialState(design, 1));
    const position = { recipe: "dcgan", seed: 1, epoch: 1, step: 0, images: 1, ...image } as const;
    const exported = await exportNetwork(design, { position, state }, "nothing", onCpu);
    const without = designed("dcgan", { ...small, width: 2 }, image);
    const averaged = new Map(state).set(parameters, tensorIn(state, average));
    expect(exported).toEqual(await exportNetwork(without, { position, state: averaged }, "nothing", onCpu));
    expect(exported).not.toEqual(await exportNetwork(without, { position, state }, "nothing", onCpu));
  });
});

test("instance noise is off unless asked for", () => {
  const names = (settings: Record<string, number>) =>
    batchInputs(designed("vanilla", settings)).map(({ name }) => name);
  expect(names({})).toEqual(["x", "z_d", "z_g"]);
  expect(names({ instanceNoise: 0.1 })).toEqual(["x", "z_d", "noise_real", "noise_fake", "z_g", "noise_g"]);
});
