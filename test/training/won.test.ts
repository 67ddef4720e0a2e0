import { expect, test } from "vitest";
import { textIn } from "../../src/error.js";
import type { MetricsLine } from "../../src/training/training.js";
import { discriminatorWatch } from "../../src/training/won.js";

const epochOf = (
  epoch: number,
  losses: readonly number[],
  more: Record<string, number> = { real_score: 1 },
) => losses.map((d_loss, i): MetricsLine => ({ epoch, step: i + 1, metrics: { d_loss, ...more } }));

test("a loss near 0 for a whole epoch is said once", () => {
  const watch = discriminatorWatch();
  expect(watch(epochOf(1, [1, 0.001]), 2)).toBeUndefined();
  expect(watch(epochOf(2, [0.001]), 2)).toBeUndefined();
  const heard = watch([{ ...epochOf(2, [0, 0.003])[1] }], 2);
  expect(textIn(heard!)).toMatch(
    /has won: its loss was 0\.0020 .* in epoch 2.*; lower learning rate, or try label/,
  );
  expect(watch(epochOf(3, [0, 0]), 2)).toBeUndefined();
});

test.each([
  [0.13, false],
  [0.06, false],
  [0.04, true],
])("a mean loss of %f is said to be won: %s", (loss, said) => {
  expect(discriminatorWatch()(epochOf(1, [loss, loss]), 2) !== undefined).toBe(said);
});

test("a critic's loss, which may pass 0, and other recipes' mean nothing", () => {
  expect(discriminatorWatch()(epochOf(1, [0, 0], {}), 2)).toBeUndefined();
});
