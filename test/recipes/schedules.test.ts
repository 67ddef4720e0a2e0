import { expect, test } from "vitest";
import { input } from "../../src/graph/index.js";
import { type ScheduleName, scheduleOf } from "../../src/recipes/schedules.js";
import { evaluate } from "../helpers/run.js";

/** The factors of some steps of a training. */
async function factors(name: ScheduleName, warmup: number, at: readonly number[], steps: number) {
  const [step, all] = [input("step", "float32", []), input("steps", "float32", [])];
  const factor = scheduleOf(name, warmup)!.factor(step, all);
  const found: number[] = [];
  for (const t of at) {
    const { result } = await evaluate({ result: factor }, { step: t, steps });
    found.push(Number(result.data[0]));
  }
  return found.map((value) => Number(value.toFixed(5)));
}

test("the factor rises to 1, falls as its shape says, and stays at 0 after the end", async () => {
  const at = [0, 1, 3, 4, 8, 12, 20];
  expect(await factors("linear", 4, at, 12)).toEqual([0.25, 0.5, 1, 1, 0.5, 0, 0]);
  expect(await factors("cosine", 4, at, 12)).toEqual([0.25, 0.5, 1, 1, 0.5, 0, 0]);
  expect(await factors("constant", 4, at, 12)).toEqual([0.25, 0.5, 1, 1, 1, 1, 1]);
  expect(await factors("linear", 0, [0, 3, 12], 12)).toEqual([1, 0.75, 0]);
  expect(await factors("cosine", 0, [0, 3, 12], 12)).toEqual([1, 0.85355, 0]);
});

test("a training of unknown length keeps its rate, one that is all warm-up only rises", async () => {
  expect(await factors("cosine", 2, [0, 1, 2, 99], 0)).toEqual([0.5, 1, 1, 1]);
  expect(await factors("linear", 4, [0, 2, 3], 3)).toEqual([0.25, 0.75, 1]);
});

test("a constant rate is no schedule", () => {
  expect(scheduleOf("constant", 0)).toBeUndefined();
});
