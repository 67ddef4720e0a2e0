import { expect, test } from "vitest";
import { Session } from "../../src/runtime/session.node.js";
import { tensorIn, tensorsOf, zeros } from "../../src/tensors/tensor.js";
import { initialState } from "../../src/training/state.js";
import { batchInputs } from "../../src/training/step-graph.js";
import {
  chooseStepsPerCall,
  growingLength,
  measureCalls,
  mostStepsPerCall,
  type Restorable,
  steadyLength,
  surelyFitting,
} from "../../src/training/steps-per-call.js";
import { tinyArtifacts, tinyDesign, tinyImage } from "../helpers/design.js";
import { designed, randomFeeds } from "../helpers/recipes.js";

/** What runs of 1 and 16 steps take that cost `run` besides `step` for each step, in milliseconds. */
const times = (run: number, step: number) => ({
  short: { steps: 1, milliseconds: run + step },
  long: { steps: 16, milliseconds: run + 16 * step },
});

test.each([
  [4, 1, 196],
  [0.5, 1, 25],
  [4, 0.25, 784],
  [0.01, 1, 1],
  [0, 1, 1],
])("a run that costs %d ms besides steps of %d ms has %i of them: 2% of its time", (run, step, wanted) => {
  const chosen = chooseStepsPerCall(times(run, step), 1000);
  expect(chosen).toBe(wanted);
  expect(run / (run + step * chosen)).toBeLessThanOrEqual(0.02 + 1e-12);
});

test("a run has no more steps than there may be, nor than half a second has room for", () => {
  expect(chooseStepsPerCall(times(4, 1), 100)).toBe(100);
  expect(chooseStepsPerCall(times(40, 50), 100)).toBe(9);
  expect(chooseStepsPerCall(times(100, 150), 100)).toBe(2);
  expect(chooseStepsPerCall(times(100, 5000), 100)).toBe(1);
});

test("a run takes no longer than it may, also when the measurement is noise", () => {
  const noisy = { short: { steps: 1, milliseconds: 60 }, long: { steps: 16, milliseconds: 50 } };
  expect(chooseStepsPerCall(noisy, 1000)).toBe(160);
  expect(chooseStepsPerCall(noisy, 1000, 150)).toBe(48);
  expect(chooseStepsPerCall(times(40, 50), 100, 200)).toBe(3);
});

test("runs that take twice too long on a machine that has become busy have half the steps", () => {
  const length = steadyLength(40, 100);
  length.took(40, 190);
  expect(length.steps()).toBe(40);
  for (const expected of [20, 10, 5, 2, 1, 1]) {
    length.took(length.steps(), 200);
    expect(length.steps()).toBe(expected);
  }
});

test("where people wait a run has one step at first, then as many as there is time for", () => {
  const length = growingLength(24, 100);
  const seen: number[] = [];
  for (const perStep of [10, 10, 10, 10, 10, 10, 50, 1, 1, 1, 1, 1, 500]) {
    seen.push(length.steps());
    length.took(length.steps(), perStep * length.steps());
  }
  expect(seen).toEqual([1, 2, 4, 8, 10, 10, 10, 2, 4, 8, 16, 24, 24]);
  expect(length.steps()).toBe(1);
});

test("times that make no sense are no reason for short runs", () => {
  expect(
    chooseStepsPerCall({ short: { steps: 1, milliseconds: 5 }, long: { steps: 16, milliseconds: 4 } }, 300),
  ).toBe(300);
  expect(
    chooseStepsPerCall({ short: { steps: 1, milliseconds: 1 }, long: { steps: 16, milliseconds: 90 } }, 300),
  ).toBe(1);
});

test("the batch inputs of a run fit into 256 MiB, and into an epoch", () => {
  // A step of vanilla: 128 images of 784 bytes, two batches of 100 latents in float32.
  const inputs = batchInputs(designed("vanilla"));
  expect(mostStepsPerCall(inputs, { batchSize: 128, stepsInEpoch: 469 })).toBe(469);
  expect(mostStepsPerCall(inputs, { batchSize: 128, stepsInEpoch: 9999 })).toBe(
    Math.floor(2 ** 28 / (128 * (784 + 800))),
  );
  // Of wgan-gp: five batches of images, latents and mixing coefficients, and one of latents.
  const repeated = batchInputs(designed("wgan-gp"));
  expect(mostStepsPerCall(repeated, { batchSize: 64, stepsInEpoch: 9999 })).toBe(
    Math.floor(2 ** 28 / (64 * (5 * (784 + 400 + 4) + 400))),
  );
  expect(mostStepsPerCall(inputs, { batchSize: 10 ** 6, stepsInEpoch: 469 })).toBe(1);
});

const feedsOf = (steps: number) => tensorsOf({ x: zeros("float32", [steps]) });

/** An engine with a clock of its own, on which every first run of a length takes ten times as long. */
function pretended(run: number, step: number, noise: readonly number[] = [0]) {
  const runs: number[] = [];
  let clock = 0;
  const state = tensorsOf({ total: { dtype: "float32", shape: [1], data: Float32Array.of(7) } });
  let current = state;
  const engine: Restorable = {
    async consume(feeds) {
      const [steps] = tensorIn(feeds, "x").shape;
      const once = run + step * steps + noise[runs.length % noise.length];
      clock += runs.includes(steps) ? once : 10 * once;
      runs.push(steps);
      current = tensorsOf({ total: { dtype: "float32", shape: [1], data: Float32Array.of(runs.length) } });
      return new Map();
    },
    getState: async () => current,
    setState: async (next) => {
      current = next;
    },
  };
  return { engine, runs, now: () => clock, isRestored: () => current === state };
}

test("runs are timed after a first one of each length, by medians, and the state is put back", async () => {
  const { engine, runs, now, isRestored } = pretended(4, 1, [0, 0, 0, 50, 0, 0, 0]);
  const measured = await measureCalls(engine, feedsOf, 100, { now });
  expect(measured).toEqual(times(4, 1));
  expect(runs).toEqual([1, 1, 16, 1, 16, 1, 16, 1, 16]);
  expect(isRestored()).toBe(true);
});

test("where steps are slow, few are made; nor more than a run may have", async () => {
  const slow = pretended(40, 1300);
  expect(await measureCalls(slow.engine, feedsOf, 100, { now: slow.now })).toEqual({
    short: { steps: 1, milliseconds: 1340 },
    long: { steps: 2, milliseconds: 2640 },
  });
  expect(slow.runs).toEqual([1, 1, 2, 1, 2]);
  const short = pretended(4, 1);
  expect((await measureCalls(short.engine, feedsOf, 3, { now: short.now }))?.long.steps).toBe(3);
});

test("the state is put back when a run fails", async () => {
  const { engine, isRestored } = pretended(4, 1);
  const failing = { ...engine, consume: () => Promise.reject(new Error("no memory")) };
  await expect(measureCalls(failing, feedsOf, 100)).rejects.toThrow("no memory");
  expect(isRestored()).toBe(true);
});

test("it stops after the call that is being made when it is told to, and puts the state back", async () => {
  const stop = new AbortController();
  const { engine, runs, isRestored } = pretended(4, 1);
  const stopping: Restorable = {
    ...engine,
    async consume(feeds) {
      if (runs.length === 1) stop.abort();
      return engine.consume(feeds);
    },
  };
  expect(await measureCalls(stopping, feedsOf, 100, { signal: stop.signal })).toBeUndefined();
  expect([runs, isRestored()]).toEqual([[1, 1], true]);
});

test("a training goes on as if nobody had measured", async () => {
  const design = tinyDesign();
  const feeds = randomFeeds(design, tinyImage, 3, 5);
  const session = await Session.open(tinyArtifacts().train, { ep: "cpu", threads: 1 }, "train.onnx");
  try {
    const ends = [];
    for (const measured of [false, true]) {
      await session.setState(initialState(design, 1));
      if (measured) await measureCalls(session, (steps) => randomFeeds(design, tinyImage, steps, 5), 100);
      const metrics = await session.run(feeds);
      ends.push({ metrics, state: await session.getState() });
    }
    expect(ends[1]).toEqual(ends[0]);
  } finally {
    await session.close();
  }
});

test("noise that makes a step look short gives no long call: calls grow only while they have room", () => {
  const noisy = { short: { steps: 1, milliseconds: 100 }, long: { steps: 16, milliseconds: 101 } };
  expect(chooseStepsPerCall(noisy, 10_000)).toBeGreaterThan(1000);
  expect(surelyFitting(noisy)).toBe(79);
  expect(surelyFitting({ short: noisy.short, long: { steps: 1, milliseconds: 900 } })).toBe(1);
  const length = steadyLength(6000, 500, 79);
  expect(length.steps()).toBe(79);
  length.took(79, 480); // A step takes 6 ms: there is no room for twice as many.
  expect(length.steps()).toBe(79);
  length.took(20, 90); // The rest of an epoch tells nothing.
  expect(length.steps()).toBe(79);
  length.took(79, 200);
  expect(length.steps()).toBe(158);
  expect(steadyLength(5, 500, 79).steps()).toBe(5);
});
