import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { followTrajectory } from "../../src/evaluation/trajectory.node.js";
import { sha256 } from "../../src/files.node.js";
import { encodeModel } from "../../src/onnx/index.js";
import { type RecipeName, recipeNames } from "../../src/recipes/index.js";
import { floatsIn, type Tensors, tensorIn } from "../../src/tensors/tensor.js";
import { stateWith } from "../../src/training/state.js";
import { buildStepGraph } from "../../src/training/step-graph.js";
import { goldenMissing, goldenRecipes, readGolden } from "../helpers/golden.js";
import { checkerMissing, checkModels } from "../helpers/onnx-checker.js";
import { designed, trained } from "../helpers/recipes.js";
import { about } from "../helpers/run.js";

/** Recipes that nobody recorded a trajectory of, and what is tested in its place. */
const unrecorded: Partial<Record<RecipeName, string>> = {
  classifier: "objectives/classification.test.ts repeats loss and gradient in float64",
  flow: "objectives/flow.test.ts repeats loss and solvers in float64; flow.test.ts holds the update against differences",
  "latent-flow": "latent-flow.test.ts repeats the flow's loss and the statistics in float64",
  r3gan:
    "objectives/relativistic.test.ts repeats the formulas; r3gan.test.ts holds the updates against differences",
  conditional: "dcgan with classes: conditional.test.ts repeats it in float64",
  "vae-gan": "vae-gan.test.ts compares its prior with a direct computation",
};

test("every recipe has a reference trajectory, or a reason for none", () => {
  expect(new Set([...goldenRecipes, ...Object.keys(unrecorded)])).toEqual(new Set(recipeNames));
});

describe.each(goldenRecipes)("%s", (recipe) => {
  const { missing, note } = goldenMissing(recipe);
  test.skipIf(missing)(`follows PyTorch's trajectory${note}`, async () => {
    const design = designed(recipe);
    const graph = buildStepGraph(design, about);
    const compared = await followTrajectory(await readGolden(recipe), {
      design,
      graph,
      model: encodeModel(graph.model),
      place: { ep: "cpu", cpuNodes: true },
      where: recipe,
    });
    expect(compared).toMatchObject({ within: true });
    expect(compared.steps).toBeGreaterThan(2);
    expect(Object.keys(compared.metrics)).toEqual(
      expect.arrayContaining([recipe === "vae" ? "loss" : "d_loss"]),
    );
  });
});

/** The content of tensors in short, to the bit. */
const digest = (tensors: Tensors) =>
  Array.from(tensors, ([name, { data }]) => {
    return [name, sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
  });

describe.each(["vanilla", "dcgan"] as const)("%s without detach", (recipe) => {
  const { missing, note } = goldenMissing(recipe);
  test.skipIf(missing)(`gives the same numbers, bit for bit, with more nodes${note}`, async () => {
    const { tensors } = await readGolden(recipe);
    const run = (detach: boolean) => {
      const design = designed(recipe, { detach });
      const feeds = new Map(["x", "z_d", "z_g"].map((name) => [name, tensorIn(tensors, name)]));
      const state = stateWith(design, (network, name, { out }) => {
        out.set(floatsIn(tensors, `init.${network}.${name}`));
      });
      return trained(design, feeds, state);
    };
    const [without, withIt] = [await run(false), await run(true)];
    expect(without.state.size).toBe(recipe === "vanilla" ? 10 : 16);
    expect(digest(without.metrics)).toEqual(digest(withIt.metrics));
    expect(digest(without.state)).toEqual(digest(withIt.state));

    const nodes = (detach: boolean) => {
      const { nodes } = buildStepGraph(designed(recipe, { detach }), about).model.graph;
      return nodes.find(({ type }) => type === "Loop")?.bodies?.body.nodes.length ?? 0;
    };
    expect(nodes(false)).toBeGreaterThan(nodes(true) + 10);
  });
});

test.skipIf(checkerMissing)(
  `ONNX's checker accepts every recipe's training graph${checkerMissing ? ` (skipped: ${checkerMissing})` : ""}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "gan-onnx-test-"));
    const all = { loss: "lsgan", labelSmoothing: 0.1, instanceNoise: 0.1, ema: 0.9, detach: false };
    const designs = [...recipeNames.map((name) => designed(name)), designed("conditional", all)];
    const paths = designs.map((design, i) => {
      const path = join(folder, `${i}.onnx`);
      writeFileSync(path, encodeModel(buildStepGraph(design, about).model));
      return path;
    });
    try {
      expect(checkModels(paths)).toBe("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
