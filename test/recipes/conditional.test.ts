import { describe, expect, test } from "vitest";
import type { Design } from "../../src/recipes/index.js";
import { floatsIn, type Tensor, type Tensors, tensorIn } from "../../src/tensors/tensor.js";
import { initialState } from "../../src/training/state.js";
import { type PlainSize, plainDiscriminator, plainGenerator, type Weights } from "../helpers/plain-conv.js";
import { colour, designed, grey, randomFeeds, trained, weightsOf } from "../helpers/recipes.js";

const count = 5;

const softplus = (a: number) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
const numbers = ({ data }: Tensor) => Float64Array.from(data, Number);

/** The two losses of a step in float64, from the feeds and given weights. */
function plainLosses(size: PlainSize, feeds: Tensors) {
  const labels = (name: string) => Array.from(feeds.get(name)?.data ?? [], Number);
  const pass = (data: Float64Array, name: string) => ({ data, count, labels: labels(name), training: true });
  const real = pass(
    numbers(tensorIn(feeds, "x")).map((byte) => byte / 127.5 - 1),
    "y_d",
  );
  return {
    discriminator(d: Weights, g: Weights) {
      const fake = plainGenerator(g, size, pass(numbers(tensorIn(feeds, "z_d")), "y_d"));
      const logits = (x: typeof real) => plainDiscriminator(d, size, x);
      return mean(logits(real).map((a) => softplus(-a))) + mean(logits(pass(fake, "y_d")).map(softplus));
    },
    generator(d: Weights, g: Weights) {
      const fake = plainGenerator(g, size, pass(numbers(tensorIn(feeds, "z_g")), "y_g"));
      return mean(plainDiscriminator(d, size, pass(fake, "y_g")).map((a) => softplus(-a)));
    },
  };
}

/** Central differences of f in every number of some weights, in the order of their flat vector. */
function differentiated(weights: Weights, f: () => number): number[] {
  const step = 1e-5;
  return Object.entries(weights).flatMap(([name, values]) =>
    name.includes("running")
      ? []
      : Array.from(values, (value, i) => {
          const moved = (to: number) => {
            values[i] = to;
            return f();
          };
          const slope = (moved(value + step) - moved(value - step)) / (2 * step);
          values[i] = value;
          return slope;
        }),
  );
}

/** Adam's first moment after one step is the gradient itself. */
const gradientOf = (state: Tensors, network: string) =>
  Array.from(tensorIn(state, `${network}/first_moment`).data, Number);

async function oneStep(design: Design, image: ReturnType<typeof grey>) {
  const before = initialState(design, 1);
  const feeds = randomFeeds(design, image, 1, count);
  const { metrics, state } = await trained(design, feeds, before);
  return { before, feeds, metrics, after: state };
}

describe.each([
  { recipe: "conditional", image: grey(8), classes: 3 },
  { recipe: "conditional", image: colour(8), classes: 2 },
  { recipe: "dcgan", image: colour(8), classes: 0 },
] as const)("$recipe of $image.channels channels and $classes classes", ({ recipe, image, classes }) => {
  const settings = { latent: 3, width: 2, depth: 2, learningRate: 0.05, ...(classes > 0 && { classes }) };
  const design = designed(recipe, settings, image);
  const size = { channels: image.channels, side: image.width, depth: 2, classes };

  test("losses and gradients are those of plain loops in float64", async () => {
    const { before, feeds, metrics, after } = await oneStep(design, image);
    const [g, d, trainedD] = [
      weightsOf(design, "generator", before),
      weightsOf(design, "discriminator", before),
      weightsOf(design, "discriminator", after),
    ];
    const losses = plainLosses(size, feeds);
    // The generator's update sees the discriminator as its own left it.
    const rows = [
      { network: "discriminator", metric: "d_loss", weights: d, loss: () => losses.discriminator(d, g) },
      { network: "generator", metric: "g_loss", weights: g, loss: () => losses.generator(trainedD, g) },
    ];
    for (const { network, metric, weights, loss } of rows) {
      expect(Number(tensorIn(metrics, metric).data[0]), metric).toBeCloseTo(loss(), 5);
      const expected = differentiated(weights, loss);
      const gradient = gradientOf(after, network);
      expect(gradient).toHaveLength(expected.length);
      const worst = Math.max(...expected.map((slope, i) => Math.abs(gradient[i] - slope)));
      expect(worst, network).toBeLessThan(2e-5);
      expect(Math.max(...expected), network).toBeGreaterThan(0.01);
    }
    expect(losses.generator(d, g)).not.toBeCloseTo(losses.generator(trainedD, g), 3);
  });
});

test("each network is told the class by its own input", async () => {
  const image = grey(8);
  const design = designed("conditional", { latent: 3, width: 2, classes: 3 }, image);
  const { before, feeds, metrics } = await oneStep(design, image);
  const change = async (name: string) => {
    const labels = Uint8Array.from(numbers(tensorIn(feeds, name)), (label) => (label + 1) % 3);
    const { shape } = tensorIn(feeds, name);
    const other = new Map(feeds).set(name, { dtype: "uint8", shape, data: labels });
    return (await trained(design, other, before)).metrics;
  };
  expect(tensorIn(await change("y_d"), "real_score")).not.toEqual(tensorIn(metrics, "real_score"));
  const changed = await change("y_g");
  expect(tensorIn(changed, "g_loss")).not.toEqual(tensorIn(metrics, "g_loss"));
  expect(tensorIn(changed, "d_loss")).toEqual(tensorIn(metrics, "d_loss"));
});

test("with spectral norm, projection and R1 the update follows the slope of the loss", async () => {
  const image = grey(8);
  const own = { latent: 3, width: 2, classes: 3, spectralNorm: true, projection: true, r1: 2, beta1: 0 };
  const design = designed("conditional", { ...own, loss: "hinge", learningRate: 1e-12 }, image);
  const feeds = randomFeeds(design, image, 1, count);
  // Some steps at first, so that u and v of each layer follow its largest singular value.
  let settled = initialState(design, 1);
  for (let i = 0; i < 6; i++)
    settled = (await trained(design, randomFeeds(design, image, 4, count), settled)).state;
  const step = 2 ** -12;
  const at = async (by: number) => {
    const parameters = Float32Array.from(floatsIn(settled, "discriminator/parameters"));
    const direction = parameters.map((_, i) => Math.cos(3 * i));
    for (let i = 0; i < parameters.length; i++) parameters[i] += by * direction[i];
    const state = new Map(settled).set("discriminator/parameters", {
      dtype: "float32",
      shape: [parameters.length],
      data: parameters,
    });
    const { metrics, state: next } = await trained(design, feeds, state);
    const [d_loss, r1] = ["d_loss", "r1"].map((name) => Number(tensorIn(metrics, name).data[0]));
    return { direction, next, loss: d_loss + r1 };
  };
  const [below, here, above] = [await at(-step), await at(0), await at(step)];
  const along = gradientOf(here.next, "discriminator").reduce((sum, g, i) => sum + g * here.direction[i], 0);
  expect(along / ((above.loss - below.loss) / (2 * step))).toBeCloseTo(1, 1);
  // No batch normalization is left in the discriminator, and no class is a channel of the image.
  const names = Object.keys(weightsOf(design, "discriminator", settled));
  expect(names).toEqual([
    ...["down1", "down2", "fc"].flatMap((name) => [`${name}.weight`, `${name}.bias`]),
    "embedding.weight",
    ...["down1", "down2", "fc"].map((name) => `${name}.weight_u`),
  ]);
});
