import { describe, expect, test } from "vitest";
import type { Model } from "../../src/graph/index.js";
import { summarizeModel } from "../../src/onnx/index.js";
import { obstacle, traceForOrt } from "../../src/ort-training/artifacts.js";
import type { RecipeName } from "../../src/recipes/index.js";
import { lossNames } from "../../src/recipes/objectives/losses.js";
import { buildArtifacts } from "../../src/training/artifacts.node.js";
import { artifactsOf } from "../helpers/ort-training.js";
import { designed, grey } from "../helpers/recipes.js";

const small = { latent: 3, width: 5, depth: 1 };
const image = grey(4);
const vanilla = designed("vanilla", small, image);
const names = (values: readonly { name: string }[]) => values.map(({ name }) => name);

describe("the artifacts of vanilla", () => {
  test("are what the networks take and give: images, latents, and each other's", () => {
    const told = traceForOrt(vanilla).map(({ network, inputs, outputs, frozen, latents }) => {
      return { network, inputs, outputs, frozen, latents };
    });
    expect(told).toEqual([
      {
        network: "discriminator",
        inputs: ["x", "generated"],
        outputs: ["d_loss", "real_score", "fake_score"],
        frozen: [],
        latents: ["z_d"],
      },
      {
        network: "generator",
        inputs: ["z_g"],
        outputs: ["g_loss", "generated"],
        frozen: ["discriminator"],
        latents: ["z_g"],
      },
    ]);
  });

  test("have the inputs that ORT's loader looks for, in its order", () => {
    const { training, eval: evaluation, optimizer } = artifactsOf(vanilla, "generator").artifacts;
    const trained = ["gen.0.weight", "gen.0.bias", "gen.2.weight", "gen.2.bias"].map((n) => `generator.${n}`);
    const frozen = ["dis.0.weight", "dis.0.bias", "dis.2.weight", "dis.2.bias"].map(
      (n) => `discriminator.${n}`,
    );
    const buffers = trained.map((name) => `${name}_grad.accumulation.buffer`);
    expect(names(training.graph.inputs)).toEqual([
      "z_g",
      ...trained,
      ...frozen,
      ...buffers,
      "lazy_reset_grad",
    ]);
    expect(names(training.graph.outputs)).toEqual([
      "g_loss",
      "generated",
      ...trained.map((name) => `${name}_grad.accumulation.out`),
    ]);
    expect(names(evaluation.graph.inputs)).toEqual(["z_g", ...trained, ...frozen]);
    expect(names(evaluation.graph.outputs)).toEqual(["g_loss", "generated"]);
    expect(names(optimizer.graph.inputs)).toEqual([
      "learning_rate",
      "step",
      "params",
      "gradients",
      "first_order_moments",
      "second_order_moments",
    ]);
  });

  test("are standard operators but for accumulators and the optimizer; train.onnx has no others at all", () => {
    const foreign = ({ graph }: Model) => graph.nodes.filter(({ domain }) => domain).map(({ type }) => type);
    const { artifacts, files } = artifactsOf(vanilla, "discriminator");
    expect(new Set(foreign(artifacts.training))).toEqual(new Set(["InPlaceAccumulatorV2"]));
    expect(foreign(artifacts.eval)).toEqual([]);
    expect(foreign(artifacts.optimizer)).toEqual(["AdamWOptimizer"]);
    expect(summarizeModel(files["training_model.onnx"]).opsets).toEqual({ "": 17, "com.microsoft": 1 });
    expect(summarizeModel(files["eval_model.onnx"]).opsets).toEqual({ "": 17 });
    const { train } = buildArtifacts(vanilla, {});
    expect(summarizeModel(train).opsets).toEqual({ "": 17 });
  });
});

type Settings = Readonly<Record<string, unknown>>;

test.each<[recipe: RecipeName, settings: Settings]>([
  ...lossNames.map((loss): [RecipeName, Settings] => ["vanilla", { loss }]),
  ["vanilla", { labelSmoothing: 0.1, instanceNoise: 0.1 }],
  ["wgan-gp", {}],
])("%s %j has such a form, and its metrics are those of train.onnx", (recipe, settings) => {
  const design = designed(recipe, { ...small, ...settings }, image);
  const { graph } = buildArtifacts(design, {});
  const outputs = traceForOrt(design).flatMap((artifacts) => artifacts.outputs);
  expect(outputs.filter((name) => name !== "generated").sort()).toEqual(names(graph.metrics).sort());
});

test.each<[recipe: RecipeName, settings: Settings, reason: RegExp]>([
  ["dcgan", {}, /^a forward pass replaces buffers of the generator \(bn1\.running_mean and others\)/],
  ["conditional", {}, /^a forward pass replaces buffers of the generator/],
  ["vanilla", { ema: 0.9 }, /^the training API has no place for an average of parameters/],
  ["vanilla", { optimizer: "sgd", momentum: 0.9 }, /^the training API has no operator for sgd$/],
  ["vanilla", { optimizer: "adamw" }, /^the training API has no operator for adamw$/],
  ["vanilla", { clipNorm: 1 }, /^the training API has no operator for adam with clipped gradients$/],
  [
    "vanilla",
    { schedule: "cosine" },
    /^the training API has no place for a learning rate that changes \(cosine\)/,
  ],
])("%s %j has none, and it is said why", (recipe, settings, reason) => {
  const design = designed(recipe, settings, grey(16));
  expect(obstacle(design)).toMatch(reason);
  expect(() => traceForOrt(design)).toThrow(/^ORT training artifacts: the recipe does not fit: /);
});
