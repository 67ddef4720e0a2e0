import { expect, test } from "vitest";
import { exportNetwork } from "../../src/export/network.js";
import { add, gradients, input, mul, type Value } from "../../src/graph/index.js";
import { bind, flowAndDecoder, type LatentFlow } from "../../src/networks/index.js";
import { summarizeModel } from "../../src/onnx/index.js";
import { latentFlowPhases } from "../../src/recipes/objectives/latent-flow.js";
import { adam } from "../../src/recipes/optimizers/index.js";
import { randomStream } from "../../src/tensors/random.js";
import { floatsIn, type Tensor, type Tensors, tensorIn } from "../../src/tensors/tensor.js";
import { randomInputs } from "../../src/training/inference.js";
import { initialState, namedTensors, withSteps } from "../../src/training/state.js";
import { ABSENT } from "../../src/training/windows.js";
import { onCpu } from "../helpers/on-cpu.js";
import { colour, designed, grey, randomFeeds, runModel, trained } from "../helpers/recipes.js";
import { evaluate } from "../helpers/run.js";

const small = { width: 2, latent: 3, neurons: 4, blocks: 1, draws: 2, samplingSteps: 3 };

test("autoencoder, flow and GAN follow each other, and each trains its own part of the generator", async () => {
  const image = grey(8);
  const design = designed("latent-flow", { ...small, classes: 3 }, image);
  const feeds = randomFeeds(design, image, 12, 4);
  let now: Tensors = withSteps(design, initialState(design, 1), 12);
  const phases: string[][] = [];
  const changed: string[][] = [];
  for (const first of [0, 4, 8]) {
    const before = now;
    const part = Array.from(feeds, ([name, { dtype, shape, data }]) => {
      const size = data.length / 12;
      const some = data.slice(first * size, (first + 4) * size);
      return [name, { dtype, shape: [4, ...shape.slice(1)], data: some } as Tensor] as const;
    });
    const { metrics, state } = await trained(design, new Map(part), now);
    now = state;
    phases.push(
      ["vae_loss", "code_size", "flow_loss", "d_loss", "g_loss"].map((name) =>
        Array.from(floatsIn(metrics, name), (value) => +(value !== ABSENT)).join(""),
      ),
    );
    const [old, made] = [before, now].map((one) => namedTensors(design, "generator", one));
    const others = [...old].filter(([name, { data }]) =>
      data.some((value, i) => value !== tensorIn(made, name).data[i]),
    );
    changed.push([...new Set(others.map(([name]) => name.split(".")[0]))]);
  }
  expect(phases).toEqual([
    ["1111", "0000", "0000", "0000", "0000"],
    ["0000", "1000", "1111", "0000", "0000"],
    ["0000", "0000", "1111", "1111", "1111"],
  ]);
  expect(changed).toEqual([["decoder"], ["flow", "codes"], ["decoder", "flow"]]);
});

test("codes are standardized by mean and variance of all that were observed", async () => {
  const network = flowAndDecoder(grey(8), { ...small, classes: 1 });
  const codes = input("codes", "float32", ["batch", 3]);
  const given = { count: 4, sums: [4, -2, 0], squares: [10, 3, 5] };
  const buffers = new Map<string, Value>([
    ["codes.count", input("count", "float32", [])],
    ["codes.sums", input("sums", "float32", [3])],
    ["codes.squares", input("squares", "float32", [3])],
  ]);
  const bound = bind<LatentFlow>(
    {
      ...network,
      create: (scope) =>
        network.create({ ...scope, parameter: (name, shape) => input(name, "float32", shape) }),
    },
    new Map(),
    { training: true, buffers, derived: (_, compute) => compute() },
  );
  const { standard } = bound.forward;
  standard.observe(codes);
  const outputs = {
    counted: bound.buffers.get("codes.count") as Value,
    applied: standard.apply(codes),
    inverted: standard.invert(standard.apply(codes)),
  };
  const rows = [1, -1, 0.5, 3, 2, -2];
  const results = await evaluate(outputs, { ...given, codes: { dims: [2, 3], data: rows } });
  expect(Number(results.counted.data[0])).toBe(6);
  const expected = rows.map((value, i) => {
    const [mine, other] = [value, rows[(i + 3) % 6]];
    const mean = (given.sums[i % 3] + mine + other) / 6;
    return (value - mean) / Math.sqrt((given.squares[i % 3] + mine ** 2 + other ** 2) / 6 - mean ** 2);
  });
  expected.forEach((value, i) => {
    expect(Number(results.applied.data[i])).toBeCloseTo(value, 5);
    expect(Number(results.inverted.data[i])).toBeCloseTo(rows[i], 5);
  });
});

test("the flow's loss and gradient are those of float64, with several noises and times for each code", async () => {
  const own = { name: "own", optimizer: adam({ learningRate: 1, beta1: 0, beta2: 0, epsilon: 1 }) };
  const everything = [0, 1] as const;
  const [timeMean, timeScale] = [-0.25, 1.5];
  const phases = latentFlowPhases({
    ...{ pixels: 2, latent: 2, labelled: false, klWeight: 1, errorWeight: 1, draws: 2, timeMean, timeScale },
    ...{ autoencoding: own, flowing: own, solver: { steps: 2, solver: "euler" } },
    windows: {
      ...{ autoencoder: everything, statistics: everything, flow: everything },
      ...{ discriminator: everything, polish: everything },
    },
  });
  const inputs = {
    x: input("x", "uint8", ["batch", 2]),
    eps: input("eps", "float32", ["batch", 2]),
    noise: input("noise", "float32", ["batch", 4]),
    times: input("times", "float32", ["batch", 2]),
  };
  const a = input("a", "float32", []);
  // The encoder gives the image as mean and a variance of 1/4; standardized codes are half as large, less 1.
  const networks = {
    encoder: (x: Value) => ({ mu: x, logVariance: add(mul(x, 0), Math.log(0.25)) }),
    generator: {
      decode: (code: Value) => code,
      flow: (x: Value, t: Value) => add(mul(x, a), t),
      standard: {
        observe() {},
        apply: (code: Value) => add(mul(code, 0.5), -1),
        invert: (code: Value) => code,
      },
    },
    discriminator: (x: Value) => ({ real: x }),
  };
  const { loss } = phases[2].trace(networks, inputs);
  const [slope] = gradients(loss, [a]);
  const feeds = { x: [255, 0], eps: [0.5, -1], noise: [0.3, -0.2, 1, 2], times: [0.5, -1], a: 0.75 };
  const expected = (a: number) => {
    const squares = [0, 1].flatMap((draw) =>
      [0, 1].map((i) => {
        const target = (feeds.x[i] / 127.5 - 1 + feeds.eps[i] * 0.5) * 0.5 - 1;
        const t = 1 / (1 + Math.exp(-(timeMean + timeScale * feeds.times[draw])));
        const noise = feeds.noise[2 * draw + i];
        return (a * ((1 - t) * noise + t * target) + t - (target - noise)) ** 2;
      }),
    );
    return squares.reduce((total, value) => total + value, 0) / 4;
  };
  const results = await evaluate({ loss, slope }, feeds);
  expect(Number(results.loss.data[0]) / expected(feeds.a)).toBeCloseTo(1, 5);
  const difference = (expected(feeds.a + 1e-5) - expected(feeds.a - 1e-5)) / 2e-5;
  expect(Number(results.slope.data[0]) / difference).toBeCloseTo(1, 4);
});

test.each([
  [{ classes: 1 }, grey(8), 1],
  [{ classes: 3, solver: "euler" }, colour(12), 2],
] as const)("%o: is exported as one model with the solver inside", async (settings, image, inputs) => {
  const draw = async (own: object) => {
    const design = designed("latent-flow", { ...small, ...settings, ...own }, image);
    const state = initialState(design, 1);
    // Untrained the flow would stand still: its last layer starts at zero.
    floatsIn(state, "generator/average").forEach((value, i, all) => {
      all[i] = value + 0.1 * Math.sin(7 * i + 1);
    });
    const position = { recipe: "latent-flow", seed: 1, epoch: 1, step: 0, images: 48, ...image } as const;
    const model = await exportNetwork(design, { position, state }, "noise", onCpu);
    expect(summarizeModel(model).operators.filter((type) => type === "Loop")).toHaveLength(1);
    const feeds = randomInputs(design, randomStream(2, "sample"), 5);
    expect([...feeds.keys()]).toHaveLength(inputs);
    const { shape, data } = tensorIn(await runModel(model, feeds), "image");
    expect([...shape]).toEqual([5, image.channels, image.height, image.width]);
    return Array.from(data, Number);
  };
  const drawn = await draw({});
  expect(drawn.every((value) => Math.abs(value) <= 1)).toBe(true);
  expect(await draw({})).toEqual(drawn);
  expect(await draw({ samplingSteps: 6 })).not.toEqual(drawn);
});
