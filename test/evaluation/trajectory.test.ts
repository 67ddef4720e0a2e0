import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { followTrajectory, tolerances } from "../../src/evaluation/trajectory.node.js";
import { readBytes } from "../../src/files.node.js";
import { piecesOf } from "../../src/networks/index.js";
import { designOf } from "../../src/recipes/index.js";
import { vanilla } from "../../src/recipes/vanilla.js";
import { decodeSafetensors } from "../../src/tensors/safetensors.js";
import type { Tensor } from "../../src/tensors/tensor.js";
import { buildArtifacts } from "../../src/training/artifacts.node.js";
import { tinyArtifacts, tinyDesign } from "../helpers/design.js";
import { recordTrajectory, type Tensors } from "../helpers/record.js";

const place = { ep: "cpu", threads: 1 } as const;

function follow(tensors: Tensors, design = tinyDesign()) {
  const { graph, train: model } = tinyArtifacts(design);
  return followTrajectory({ tensors, metadata: {} }, { design, graph, model, place, where: "record" });
}

/** A record with one number of one tensor changed. */
function spoilt(record: Tensors, name: string, change: (value: number) => number): Tensors {
  const tensor = record.get(name)!;
  const data = tensor.data.slice() as Float32Array;
  data[1] = change(data[1]);
  return new Map(record).set(name, { ...tensor, data } as Tensor);
}

describe("a trajectory computed by a second implementation in float64", () => {
  const record = recordTrajectory({ steps: 3, batch: 5, seed: 11 });

  test("is what the training graph computes", async () => {
    const { steps, metrics, parameters, within } = await follow(record);
    expect(Object.keys(metrics).sort()).toEqual(["d_loss", "fake_score", "g_loss", "real_score"]);
    for (const difference of Object.values(metrics)) expect(difference).toBeLessThan(1e-5);
    expect(parameters.all).toBeLessThan(1e-5);
    expect(parameters.most).toBeLessThanOrEqual(parameters.all);
    expect({ steps, within }).toEqual({ steps: 3, within: true });
  });

  test.each([
    [1, 1, 0],
    [7, 2, 123456789],
  ])("of %i steps of batch %i from seed %i", async (steps, batch, seed) => {
    expect(await follow(recordTrajectory({ steps, batch, seed }))).toMatchObject({ steps, within: true });
  });

  test("of a network with parameters large enough to be pieces of their own", async () => {
    const width = 128;
    const design = tinyDesign({ width });
    const own = Object.values(design.networks).map((network) => piecesOf(network).map(({ name }) => name));
    expect(own).toEqual([
      ["gen.2.weight", "others"],
      ["dis.2.weight", "others"],
    ]);
    const wide = recordTrajectory({ steps: 3, batch: 5, seed: 11, width });
    const { metrics, parameters } = await follow(wide, design);
    for (const difference of Object.values(metrics)) expect(difference).toBeLessThan(1e-5);
    expect(parameters.all).toBeLessThan(1e-5);
  });

  test.each([
    ["another parameter", "final.generator.gen.2.weight", (v: number) => v + 1.01 * tolerances.allParameters],
    ["a parameter that is not a number", "final.discriminator.dis.4.weight", () => Number.NaN],
    ["another metric", "d_loss", (v: number) => v * (1 + 1.1 * tolerances.metrics)],
    ["a metric that is not a number", "fake_score", () => Number.NaN],
    ["a start that is not a number", "init.generator.gen.0.weight", () => Number.NaN],
    ["another start", "init.discriminator.dis.0.bias", (v: number) => v + 0.01],
    ["another image", "x", (v: number) => 255 - v],
    ["another latent", "z_g", (v: number) => v + 1],
  ])("with %s is beyond the tolerances", async (_, name, change) => {
    expect((await follow(spoilt(record, name, change))).within).toBe(false);
  });

  test("is beyond where its end is that of more steps, though its metrics agree", async () => {
    const shorter = new Map(record);
    for (const [name, { dtype, shape, data }] of record) {
      if (name.includes(".")) continue;
      const kept = data.slice(0, (data.length / 3) * 2);
      shorter.set(name, { dtype, shape: [2, ...shape.slice(1)], data: kept } as Tensor);
    }
    const { steps, metrics, within } = await follow(shorter);
    for (const difference of Object.values(metrics)) expect(difference).toBeLessThan(1e-5);
    expect({ steps, within }).toEqual({ steps: 2, within: false });
  });

  test("that lacks tensors, or has other ones, is refused naming all of them", async () => {
    const broken = new Map(record);
    broken.delete("final.generator.gen.0.bias");
    broken.set("z_d", { dtype: "float32", shape: [3, 4, 4], data: new Float32Array(48) });
    broken.set("g_loss", { dtype: "float32", shape: [3], data: new Float32Array(3) });
    const error = await follow(broken).catch((thrown: Error) => thrown.message);
    expect(error).toMatch(/^record: is not a record of this recipe: /);
    expect(error).toContain("final.generator.gen.0.bias is missing");
    expect(error).toMatch(/z_d is float32 \[3, ?4, ?4\] instead of float32 \[3, ?5, ?4\]/);
    expect(error).toMatch(/g_loss is float32 \[3\] instead of float64 \[3\]/);
  });
});

const golden = [process.env.GAN_ONNX_TEST_GOLDEN ?? resolve("..", "shared", "golden")]
  .map((folder) => join(folder, "vanilla.safetensors"))
  .find(existsSync);

test.skipIf(!golden)(
  "PyTorch's trajectory of the recipe vanilla (skipped without it; GAN_ONNX_TEST_GOLDEN names its folder)",
  async () => {
    const image = { channels: 1, height: 28, width: 28 };
    const settings = vanilla.settings.parse({});
    const design = designOf("vanilla", settings, image);
    const { graph, train: model } = buildArtifacts(design, settings);
    const record = decodeSafetensors(await readBytes(golden!), golden!);
    const compared = await followTrajectory(record, { design, graph, model, place, where: golden! });
    expect(compared).toMatchObject({ steps: 12, within: true });
  },
);
