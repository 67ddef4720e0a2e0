import { expect, test } from "vitest";
import { contestants, parseOptions } from "../../bench/quality/plan.js";
import type { Result } from "../../bench/quality/run.js";
import { qualityTable } from "../../bench/quality/table.js";
import { recipeNames, recipes } from "../../src/recipes/index.js";

test("every recipe that draws is compared, with settings that it has", () => {
  const named = contestants.map(({ args }) => args[args.indexOf("--recipe") + 1]);
  expect(new Set(named)).toEqual(new Set(recipeNames.filter((name) => name !== "classifier")));
  for (const { args, planned } of contestants) {
    const name = args[args.indexOf("--recipe") + 1] as keyof typeof recipes;
    // Stages are fractions of all steps, so their number must be known from the start.
    const { phases } = recipes[name].design(
      recipes[name].settings.parse({}),
      { channels: 1, height: 28, width: 28 },
      () => undefined,
    );
    expect([name, planned ?? false]).toEqual([name, phases.some(({ during }) => during)]);
  }
});

test("options that do not exist or are not possible are refused", () => {
  expect(parseOptions(["--recipes", "flow,vae", "--seeds", "3", "--cores", "1,0"])).toMatchObject({
    recipes: [{ name: "flow" }, { name: "vae" }],
    seeds: [3],
    cores: [1, 0],
  });
  expect(() => parseOptions(["--recipes", "flow,gan"])).toThrow("--recipes: there is no gan");
  expect(() => parseOptions(["--seeds", "x"])).toThrow("--seeds");
  expect(() => parseOptions(["--minutes", "3"])).toThrow("--minutes");
});

test("the table has the means over the seeds, and the ratios to the floor and to vanilla", () => {
  const result = (name: string, seed: number, distance: number, agreement?: number): Result => {
    const scores = {
      distance,
      precision: 0.5,
      recall: 0.25,
      classes: [0.4, 0.6 - seed / 10, seed / 10],
      agreement,
    };
    const floor = { distance: 2, precision: 0.9, recall: 0.8, classes: [0.3, 0.3, 0.4], agreement: 0.99 };
    return { name, seed, seconds: 10 + seed, steps: 100, images: 6400, command: "", scores, floor };
  };
  const results = [result("vae-gan", 0, 4, 0.97), result("vae-gan", 1, 6, 0.99), result("vanilla", 0, 100)];
  const [, , real, vaeGan, vanilla, ...rest] = qualityTable(contestants, results).split("\n");
  expect(rest).toEqual([]);
  expect(real).toBe("| real images |  |  |  | 2.00 |  | 1 |  | 90.0% | 80.0% | 30.0% to 40.0% | 99.0% |");
  expect(vaeGan).toBe(
    "| vae-gan | 0, 1 | 11 | 100 | 5.00 | 4.00, 6.00 | 2.5 | 1/20 | 50.0% | 25.0% | 0.0% to 60.0% | 98.0% |",
  );
  expect(vanilla).toContain("| 100 | 100 | 50 | 1/1.0 |");
  const far = qualityTable(contestants, [result("vae-gan", 0, 2), result("vanilla", 0, 288)]);
  expect(far).toContain("| 2.00 | 1.0 | 1/144 |");
  expect(far).toContain("| 288 | 144 | 1/1.0 |");
});
