import { expect, test } from "vitest";
import { exportNetwork } from "../../src/export/network.js";
import { input } from "../../src/graph/index.js";
import { bind, declarationsOf, projectionDiscriminator } from "../../src/networks/index.js";
import { randomStream } from "../../src/tensors/random.js";
import { floatsIn, type Tensors } from "../../src/tensors/tensor.js";
import { randomInputs } from "../../src/training/inference.js";
import { initialState, withSteps } from "../../src/training/state.js";
import { ABSENT } from "../../src/training/windows.js";
import { onCpu } from "../helpers/on-cpu.js";
import { colour, designed, grey, randomFeeds, runModel, trained } from "../helpers/recipes.js";
import { evaluate } from "../helpers/run.js";

const small = { width: 2, latent: 3, components: 6 };

/** The metrics of 12 steps on noise, and the state after them. */
async function made(settings: Readonly<Record<string, unknown>>, image = grey(8)) {
  const design = designed("vae-gan", { ...small, ...settings }, image);
  const start = withSteps(design, initialState(design, 1), 12);
  const { metrics, state } = await trained(design, randomFeeds(design, image, 12, 4), start);
  return { design, image, metrics, start, state };
}

const computed = (metrics: Tensors, name: string) =>
  Array.from(floatsIn(metrics, name), (value) => +(value !== ABSENT)).join("");

test("autoencoder, prior, discriminator and polish follow each other", async () => {
  const { metrics, start, state } = await made({ classes: 3 });
  expect(computed(metrics, "vae_loss")).toBe("111111110000");
  expect(computed(metrics, "prior_loss")).toBe("000011111110");
  expect(computed(metrics, "d_loss")).toBe("000000001111");
  expect(computed(metrics, "g_loss")).toBe("000000001111");
  for (const [name, { data }] of state) {
    if (["generator/prior.log_weights", "generator/prior.means", "generator/prior.factors"].includes(name))
      continue;
    if (name === "generator/prior.whitening" || name === "schedule/steps") continue;
    expect([name, Array.from(data, Number).every(Number.isFinite)]).toEqual([name, true]);
    expect([name, floatsIn(start, name)]).not.toEqual([name, data]);
  }
});

test.each([
  [{ classes: 1 }, grey(8), 1],
  [{ classes: 3, classifierWeight: 0.5 }, colour(12), 2],
  [{ classes: 2, components: 2, temperature: 0.5 }, { channels: 1, height: 8, width: 4 }, 2],
] as const)("%o: is trained and exported as one model", async (settings, image, inputs) => {
  const { design, state } = await made(settings, image);
  const position = { recipe: "vae-gan", seed: 1, epoch: 1, step: 0, images: 48, ...image } as const;
  const model = await exportNetwork(design, { position, state }, "noise", onCpu);
  const feeds = randomInputs(design, randomStream(2, "sample"), 5);
  expect([...feeds.keys()]).toHaveLength(inputs);
  const { image: drawn } = Object.fromEntries(await runModel(model, feeds));
  expect(drawn.shape).toEqual([5, image.channels, image.height, image.width]);
  expect(Array.from(drawn.data, Number).every((value) => Math.abs(value) <= 1)).toBe(true);
  // Neither the encoder nor what the prior learns by leaves with it.
  expect(model.length).toBeLessThan(4 * declarationsOf(design.networks.generator).size + 30_000);
});

/** A discriminator of three classes with random parameters, and the parameters and three images as feeds. */
function discriminating(classifies: boolean) {
  const network = projectionDiscriminator(grey(8), { ...small, classes: 3 }, classifies);
  const { parameters } = declarationsOf(network);
  const tensors = new Map(
    parameters.map(({ name, shape }) => [name, input(name, "float32", shape)] as const),
  );
  const { forward } = bind(network, tensors, { training: true, buffers: new Map(), derived: (_, f) => f() });
  const [x, label] = [input("x", "float32", ["batch", 64]), input("label", "int64", ["batch"])];
  const random = randomStream(3, "weights");
  const given = Object.fromEntries(
    parameters.map(({ name, size }) => [
      name,
      Array.from({ length: size }, () => random.below(1000) / 1000 - 0.5),
    ]),
  );
  const pixels = Array.from({ length: 192 }, (_, i) => Math.sin(i));
  const feeds = { ...given, x: { dims: [3, 64], data: pixels }, label: { dims: [3], data: [0, 1, 2] } };
  return { told: forward(x, label), untold: forward(x), given, feeds };
}

test("the discriminator adds the class's embedding, projected on its features", async () => {
  const {
    told: { real: told, classes },
    untold: { real: untold },
    given,
    feeds,
  } = discriminating(false);
  expect(classes).toBeUndefined();
  const { a } = await evaluate({ a: told }, feeds);
  const { b } = await evaluate({ b: untold }, feeds);
  // Without its last layer's weights, what the class adds is all there is; with the embedding at 0 it adds nothing.
  const none = await evaluate({ c: told }, { ...feeds, embedding: given.embedding.map(() => 0) });
  expect(none.c.data).toEqual(b.data);
  const own = await evaluate(
    { d: told },
    {
      ...feeds,
      "fc.weight": given.embedding.slice(0, 16),
      "fc.bias": [0],
      embedding: given.embedding.map(() => 0),
    },
  );
  // The embedding of class 0 as the last layer's weights gives what class 0 adds.
  expect(Number(a.data[0]) - Number(b.data[0])).toBeCloseTo(Number(own.d.data[0]), 5);
  expect(Number(a.data[1]) - Number(b.data[1])).not.toBeCloseTo(Number(own.d.data[1]), 3);
});

test("the auxiliary classifier reads the same features, and does not know the class that is given", async () => {
  const { told, untold, given, feeds } = discriminating(true);
  if (!told.classes || !untold.classes) throw new Error("there are no logits of the classes");
  const results = await evaluate({ told: told.classes, untold: untold.classes, real: untold.real }, feeds);
  expect(results.told.dims).toEqual([3, 3]);
  expect(results.told.data).toEqual(results.untold.data);
  // With the last layer's weights, its logits of each class are those of being real.
  const [weight, bias] = [given["fc.weight"], given["fc.bias"]].map((own) => [own, own, own].flat());
  const same = await evaluate(
    { classes: told.classes },
    { ...feeds, "classifier.weight": weight, "classifier.bias": bias },
  );
  Array.from(same.classes.data, Number).forEach((value, i) => {
    expect(value).toBeCloseTo(Number(results.real.data[Math.floor(i / 3)]), 5);
  });
});

test("the auxiliary classifier is trained before the GAN and with it", async () => {
  const { metrics } = await made({ classes: 3, classifierWeight: 0.5 });
  expect(computed(metrics, "classifier_loss")).toBe("000011110000");
  expect(computed(metrics, "class_loss")).toBe("000000001111");
  expect(computed(metrics, "asked_loss")).toBe("000000001111");
});

test.each([
  [{ classes: 3, classifierWeight: 0.5 }, true],
  [{ classes: 3, classifierWeight: 0 }, false],
  [{ classes: 3 }, false],
  [{ classes: 1, classifierWeight: 0.5 }, false],
])("%o: an auxiliary classifier: %s", (settings, expected) => {
  const { networks } = designed("vae-gan", { ...small, ...settings }, grey(8));
  const names = declarationsOf(networks.discriminator).parameters.map(({ name }) => name);
  expect(names.includes("classifier.weight")).toBe(expected);
});
