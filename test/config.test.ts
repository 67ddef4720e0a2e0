import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { allFields, flagOf, parseArguments, resolveConfig } from "../src/config.js";
import { GanOnnxError, messageOf } from "../src/error.js";
import { recipeNames, recipes } from "../src/recipes/index.js";
import { readConfigFile } from "../src/runs/config-file.js";
import { temporaryFolder } from "./data/files.js";

/** What is said of settings that are wrong; always an error of usage. */
function refusal(...args: Parameters<typeof resolveConfig>): string {
  try {
    resolveConfig(...args);
  } catch (error) {
    if (error instanceof GanOnnxError && error.kind === "usage") return messageOf(error, flagOf);
    throw error;
  }
  throw new Error("accepted");
}

const file = (settings: Record<string, unknown>) => ({ path: "c.json", settings });

test("the defaults are those of the example", () => {
  const { run, recipe, flat } = resolveConfig({});
  expect(run).toMatchObject({ recipe: "vanilla", data: "mnist", ep: "cpu", epochs: 100, batchSize: 128 });
  expect(recipe).toMatchObject({
    latent: 100,
    width: 256,
    depth: 2,
    learningRate: 3e-4,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
  });
  expect(flat).toEqual({ ...run, ...recipe });
});

test("a new training with dcgan averages weights; one that was recorded without does not", () => {
  const emaOf = (...args: Parameters<typeof resolveConfig>) => resolveConfig(...args).recipe.ema;
  const dcgan = { recipe: "dcgan" };
  expect(emaOf(dcgan)).toBe(0.99);
  expect(emaOf({}, file(dcgan))).toBe(0.99);
  expect(emaOf({ ema: 0 }, file(dcgan))).toBe(0);
  expect(emaOf({}, file(dcgan), "recorded")).toBeUndefined();
  expect(emaOf({}, file({ ...dcgan, ema: 0.9 }), "recorded")).toBe(0.9);
  expect(resolveConfig({ recipe: "vae-gan" }, undefined, "recorded").run.batchSize).toBe(64);
});

test("a new training with vae-gan has an auxiliary classifier; one that was recorded without has none", () => {
  const weightOf = (...args: Parameters<typeof resolveConfig>) =>
    resolveConfig(...args).recipe.classifierWeight;
  const vaeGan = { recipe: "vae-gan" };
  expect(weightOf(vaeGan)).toBe(5);
  expect(weightOf({ classifierWeight: 0 }, file(vaeGan))).toBe(0);
  expect(weightOf({}, file(vaeGan), "recorded")).toBeUndefined();
  expect(weightOf({}, file({ ...vaeGan, classifierWeight: 2 }), "recorded")).toBe(2);
});

test("flags win over the file, the file over the defaults; a flag that was not given does not count", () => {
  const { run, recipe } = resolveConfig(
    { epochs: 7, seed: undefined },
    file({ epochs: 5, seed: 3, width: 64 }),
  );
  expect([run.epochs, run.seed, run.batchSize, recipe.width, recipe.depth]).toEqual([7, 3, 128, 64, 2]);
});

test("what a run saved is what it is resumed with", () => {
  const { flat } = resolveConfig({ epochs: 3, learningRate: 0.01, ep: "webgpu" });
  expect(resolveConfig({}, file(JSON.parse(JSON.stringify(flat)))).flat).toEqual(flat);
});

test.each(recipeNames)("the recipe %s stands on its own defaults", (recipe) => {
  const { settings, usual = {} } = recipes[recipe];
  const own = Object.entries(usual).filter(([key]) => key in settings.shape);
  expect(resolveConfig({ recipe }).recipe).toEqual(settings.parse(Object.fromEntries(own)));
  expect(resolveConfig({ recipe }, undefined, "recorded").recipe).toEqual(settings.parse({}));
});

describe("what is wrong is named:", () => {
  test.each([
    [{ recipe: "nope" }, "--recipe: needs one of vanilla, wgan-gp, "],
    [{ ep: "tpu" }, '--ep: needs one of cpu, cuda, webgpu, not "tpu"; '],
    [{ epochs: 0 }, "--epochs: needs a whole number from 1, not 0; "],
    [{ epochs: 1.5 }, "--epochs: needs a whole number from 1, not 1.5; "],
    [{ epochs: Number.NaN }, "--epochs: needs a whole number from 1, not NaN; "],
    [{ epochs: [1, 2] }, "--epochs: needs a whole number from 1, not [1,2]; "],
    [{ batchSize: -1 }, "--batch-size: needs a whole number from 1, not -1; "],
    [{ seed: -1 }, "--seed: needs a whole number from 0, not -1; "],
    [{ seed: 2 ** 53 }, `--seed: needs a whole number up to ${2 ** 53 - 1}, not ${2 ** 53}; `],
    [{ learningRate: 0 }, "--learning-rate: needs a number above 0, not 0; "],
    [{ beta1: 1 }, "--beta1: needs a number from 0 to 1 (excluded), not 1; "],
    [{ data: "" }, '--data: needs a text that is not empty, not ""; '],
    [{ critics: 5 }, "--critics: is a setting of the recipe wgan-gp, not of vanilla; "],
  ])("flag %o", (flags, message) => {
    expect(refusal(flags)).toContain(message);
  });

  test.each([
    [{ epochs: "ten" }, 'c.json: epochs: needs a whole number from 1, not "ten"; '],
    [{ batchSize: 0 }, "c.json: batchSize: needs a whole number from 1, not 0; "],
    [{ width: null }, "c.json: width: needs a whole number from 1, not null; "],
    [{ epoch: 10 }, "c.json: epoch: is not a setting; did you mean epochs?"],
    [{ recipe: 3 }, "c.json: recipe: needs one of vanilla, "],
    [{ "batch-size": 3 }, "c.json: batch-size: is not a setting"],
  ])("field of a file %o", (settings, message) => {
    expect(refusal({}, file(settings))).toContain(message);
  });

  test("the flag where both are wrong, the file where the flag is right", () => {
    expect(refusal({ epochs: 0 }, file({ epochs: -1 }))).toContain(
      "--epochs: needs a whole number from 1, not 0",
    );
    expect(refusal({ epochs: 1 }, file({ seed: -1 }))).toContain(
      "c.json: seed: needs a whole number from 0, not -1",
    );
  });
});

test("a configuration file is an object", async () => {
  const path = join(await temporaryFolder(), "c.json");
  await writeFile(path, '{"epochs": 3}');
  expect(await readConfigFile(path)).toEqual({ epochs: 3 });
  for (const text of ["[1]", '"text"', "null", "3"]) {
    await writeFile(path, text);
    await expect(readConfigFile(path)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`${path}: does not hold a JSON object`),
    });
  }
});

test("all fields of all recipes can be flags", () => {
  const fields = Object.keys(allFields());
  for (const name of recipeNames) {
    expect(fields).toEqual(expect.arrayContaining(Object.keys(recipes[name].settings.shape)));
  }
  expect(fields).toEqual(expect.arrayContaining(["recipe", "data", "seed", "width"]));
  expect(["batchSize", "seed", "stepsPerCall"].map(flagOf)).toEqual([
    "--batch-size",
    "--seed",
    "--steps-per-call",
  ]);
});

test("a setting that has been renamed is understood by its former name, in flags and files", () => {
  expect(resolveConfig({ stepsPerRun: 8 }).flat).toEqual(resolveConfig({ stepsPerCall: 8 }).flat);
  const file = { path: "run/config.json", settings: { stepsPerRun: 8 } };
  expect(resolveConfig({}, file).run.stepsPerCall).toBe(8);
  expect(resolveConfig({ stepsPerRun: 4 }, file).run.stepsPerCall).toBe(4);
  expect(resolveConfig({ stepsPerCall: 2 }, file).run.stepsPerCall).toBe(2);
  expect(refusal({ stepsPerCall: 2, stepsPerRun: 3 })).toContain("--steps-per-run: is not a setting");
  expect(refusal({ stepsPerRun: 0 })).toContain("--steps-per-call: needs a whole number from 1, not 0");
});

test("arguments of other commands are checked the same way", () => {
  const schema = z.object({ count: z.int().min(1).default(64) });
  expect(parseArguments(schema, {})).toEqual({ count: 64 });
  expect(() => parseArguments(schema, { count: 0 })).toThrow("count: needs a whole number from 1, not 0");
});
