import { expect, test } from "vitest";
import { runsOf } from "../../src/sweeps/plan.js";

const settingsOf = (plan: unknown) => runsOf(plan, "plan.json").map(({ settings }) => settings);

test("a grid has all combinations, the last setting changing first, beside what all runs share", () => {
  const plan = { settings: { epochs: 2 }, grid: { learningRate: [1e-4, 1e-3], seed: [0, 1] } };
  expect(settingsOf(plan)).toEqual([
    { epochs: 2, learningRate: 1e-4, seed: 0 },
    { epochs: 2, learningRate: 1e-4, seed: 1 },
    { epochs: 2, learningRate: 1e-3, seed: 0 },
    { epochs: 2, learningRate: 1e-3, seed: 1 },
  ]);
});

test("a list replaces settings of all runs, and is combined with a grid", () => {
  const plan = {
    settings: { recipe: "vanilla" },
    list: [{ recipe: "wgan-gp", critics: 2 }, {}],
    grid: { seed: [3, 4] },
  };
  expect(settingsOf(plan)).toEqual([
    { recipe: "wgan-gp", critics: 2, seed: 3 },
    { recipe: "wgan-gp", critics: 2, seed: 4 },
    { recipe: "vanilla", seed: 3 },
    { recipe: "vanilla", seed: 4 },
  ]);
});

test("random settings follow from the seed, lie in their range, and are whole where the setting is", () => {
  const settings = {
    learningRate: { min: 1e-5, max: 1e-2, scale: "log" },
    latent: { min: 2, max: 4 },
    batchSize: { choices: [64, 128] },
  };
  const drawn = (seed: number, more = {}) =>
    settingsOf({ random: { count: 300, seed, settings: { ...settings, ...more } } });
  const runs = drawn(1);
  expect(runs).toEqual(drawn(1));
  expect(runs).not.toEqual(drawn(2));
  // Another setting leaves those that are there as they are.
  expect(drawn(1, { width: { choices: [8] } })).toEqual(runs.map((run) => ({ ...run, width: 8 })));
  const rates = runs.map(({ learningRate }) => Number(learningRate));
  expect(Math.min(...rates)).toBeGreaterThanOrEqual(1e-5);
  expect(Math.max(...rates)).toBeLessThanOrEqual(1e-2);
  // Half of them below the middle of the exponents: 150, within four standard deviations.
  expect(Math.abs(rates.filter((rate) => rate < 10 ** -3.5).length - 150)).toBeLessThan(35);
  for (const latent of [2, 3, 4])
    expect(Math.abs(runs.filter((run) => run.latent === latent).length - 100)).toBeLessThan(35);
});

test.each([
  [[], "plan.json: needs an object, not a list"],
  [{}, "plan.json: has no grid, no list and no random"],
  [{ grd: {} }, "plan.json: grd: is not a field of a plan here; did you mean grid?"],
  [{ grid: { seed: [] } }, "plan.json: grid.seed: needs a list that is not empty"],
  [{ grid: { seed: [0, -1] } }, "plan.json: grid.seed[1]: needs a whole number from 0"],
  [{ list: [{}, { sed: 1 }] }, "plan.json: list[1].sed: is not a setting; did you mean seed?"],
  [{ settings: { ep: "x" }, list: [{}] }, "plan.json: settings.ep: needs one of cpu"],
  [{ grid: { seed: [0] }, list: [{ seed: 1 }] }, "plan.json: grid.seed[0]: is set by list[0].seed already"],
  [{ random: { count: 1, settings: { latent: { min: 2 } } } }, "random.settings.latent: needs min and max"],
  [{ random: { count: 1, settings: { latent: { mim: 2 } } } }, "random.settings.latent.mim: is not a field"],
  [{ random: { count: 1, settings: { latent: { min: 9, max: 2 } } } }, "has a min of 9 above its max of 2"],
  [
    { grid: Object.fromEntries(["seed", "epochs", "latent"].map((key) => [key, new Array(3000).fill(1)])) },
    "the most is 10000",
  ],
])("%j is refused with file and field", (plan, message) => {
  expect(() => runsOf(plan, "plan.json")).toThrow(message);
});
