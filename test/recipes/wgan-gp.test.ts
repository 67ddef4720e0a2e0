import { expect, test } from "vitest";
import { floatsIn, tensorIn } from "../../src/tensors/tensor.js";
import { initialState } from "../../src/training/state.js";
import { designed, grey, randomFeeds, trained } from "../helpers/recipes.js";

const image = grey(4);
const [steps, batch] = [2, 6];

async function run(settings: object) {
  const design = designed("wgan-gp", { latent: 3, width: 4, ...settings }, image);
  const feeds = randomFeeds(design, image, steps, batch);
  return { feeds, ...(await trained(design, feeds, initialState(design, 1))) };
}

const shapes = (tensors: Awaited<ReturnType<typeof run>>["metrics"]) =>
  Object.fromEntries(Array.from(tensors, ([name, { shape }]) => [name, [...shape]]));

test("a step has five critic updates, each on images of its own, and one of the generator", async () => {
  const { feeds, metrics } = await run({});
  expect(shapes(feeds)).toEqual({
    x: [steps, 5, batch, 16],
    z_d: [steps, 5, batch, 3],
    eps: [steps, 5, batch, 1],
    z_g: [steps, batch, 3],
  });
  expect(shapes(metrics)).toEqual({
    d_loss: [steps, 5],
    gradient_penalty: [steps, 5],
    wasserstein: [steps, 5],
    g_loss: [steps],
  });
  expect(new Set(Array.from(tensorIn(metrics, "d_loss").data, Number)).size).toBe(5 * steps);
});

test("one critic update leaves out the axis", async () => {
  const { feeds, metrics } = await run({ critics: 1 });
  expect(tensorIn(feeds, "x").shape).toEqual([steps, batch, 16]);
  expect([...tensorIn(metrics, "d_loss").shape]).toEqual([steps]);
});

test.each([0, 10])("the critic's loss is lambda %d times the penalty, less the distance", async (lambda) => {
  const { metrics } = await run({ lambda });
  const [loss, penalty, distance] = ["d_loss", "gradient_penalty", "wasserstein"].map((name) =>
    Array.from(tensorIn(metrics, name).data, Number),
  );
  expect(Math.min(...penalty)).toBeGreaterThan(0.01);
  loss.forEach((value, i) => {
    expect(value).toBeCloseTo(lambda * penalty[i] - distance[i], 5);
  });
});

test("without the penalty nothing of it is learnt from", async () => {
  const [free, held] = [await run({ lambda: 0 }), await run({ lambda: 10 })];
  expect(tensorIn(free.metrics, "gradient_penalty").data[0]).toBe(
    tensorIn(held.metrics, "gradient_penalty").data[0],
  );
  expect(tensorIn(free.state, "discriminator/parameters")).not.toEqual(
    tensorIn(held.state, "discriminator/parameters"),
  );
});

test("a critic without slope is punished by lambda, and its updates are numbers", async () => {
  const design = designed("wgan-gp", { latent: 3, width: 4, critics: 1 }, image);
  const start = initialState(design, 1);
  const parameters = floatsIn(start, "discriminator/parameters");
  // The last layer: four weights and a bias.
  parameters.fill(0, -5);
  const before = Array.from(parameters);
  const { metrics, state } = await trained(design, randomFeeds(design, image, 1, batch), start);
  expect([tensorIn(metrics, "gradient_penalty").data[0], tensorIn(metrics, "d_loss").data[0]]).toEqual([
    1, 10,
  ]);
  const learnt = Array.from(tensorIn(state, "discriminator/parameters").data, Number);
  expect(learnt.every(Number.isFinite)).toBe(true);
  expect(learnt).not.toEqual(before);
});
