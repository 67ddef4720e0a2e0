import { expect, test } from "vitest";
import { type Design, lineOf, type Phase } from "../../src/recipes/index.js";
import { adam } from "../../src/recipes/optimizers/index.js";
import { floatsIn, type Tensor, type Tensors, tensorIn } from "../../src/tensors/tensor.js";
import { STEP_STATE, STEPS_STATE } from "../../src/training/names.js";
import { initialState, stateTensors, withSteps } from "../../src/training/state.js";
import { ABSENT } from "../../src/training/windows.js";
import { designed, grey, randomFeeds, stepOf, trained } from "../helpers/recipes.js";

const image = grey(4);
const options = { learningRate: 0.05, beta1: 0.5, beta2: 0.99, epsilon: 1e-8 };
const plain = designed("vanilla", { latent: 3, width: 4, ema: 0.9 }, image);
const [d, g] = plain.phases;
/** The discriminator learns in the first half; then the generator does, by a faster Adam of its own. */
const halves: readonly Phase[] = [
  { ...d, during: [0, 0.5] },
  { ...g, during: [0.5, 1], optimization: { name: "late", optimizer: adam(options) } },
];
const design: Design = { ...plain, phases: halves, averageWarmUp: true };
const STEPS = 6;
const feeds = randomFeeds(design, image, STEPS, 5);
const start = withSteps(design, initialState(design, 1), STEPS);
const bits = (state: Tensors, name: string) => Array.from(tensorIn(state, name).data, Number);
const metric = (metrics: Tensors, name: string) => bits(metrics, name);

/** The states after each step, the first one before them all. */
async function walk(of: Design, from: Tensors): Promise<Tensors[]> {
  const states = [from];
  for (let i = 0; i < STEPS; i++) {
    states.push((await trained(of, stepOf(feeds, i), states[i])).state);
  }
  return states;
}

test("a phase is computed within its window alone, and then as if there were none", async () => {
  const { metrics, state } = await trained(design, feeds, start);
  expect(metric(metrics, "d_loss").map((loss) => loss === ABSENT)).toEqual([0, 0, 0, 1, 1, 1].map(Boolean));
  expect(metric(metrics, "g_loss").map((loss) => loss === ABSENT)).toEqual([1, 1, 1, 0, 0, 0].map(Boolean));
  const states = await walk(design, start);
  expect(states[STEPS]).toEqual(state);
  for (const name of stateTensors(plain).map(({ name }) => name)) {
    if (name.endsWith("average")) continue;
    const [before, half, after] = [0, 3, 6].map((step) => states[step].get(name) && bits(states[step], name));
    expect([name, before?.join() === half?.join()]).toEqual([name, !name.startsWith("discriminator")]);
    // What the design's own optimizer would remember of the generator is not there: no phase uses it.
    if (before)
      expect([name, half?.join() === after?.join()]).toEqual([name, name !== "generator/parameters"]);
    else expect(name).toMatch(/^generator\/(first|second)_/);
  }
  expect(floatsIn(state, STEP_STATE)[0]).toBe(STEPS);

  const alone: Design = { ...plain, phases: [d], averageDecay: undefined };
  const first = new Map(Array.from(feeds, ([name]) => [name, firstSteps(name, 3)]));
  const whole = await trained(alone, first, initialState(alone, 1));
  for (const name of ["discriminator/parameters", "discriminator/first_moment"])
    expect(bits(whole.state, name)).toEqual(bits(states[3], name));
});

function firstSteps(name: string, steps: number): Tensor {
  const { dtype, shape, data } = tensorIn(feeds, name);
  const part = data.subarray(0, (data.length / shape[0]) * steps);
  return { dtype, shape: [steps, ...shape.slice(1)], data: part } as Tensor;
}

test("phases that update the same network remember each for itself; one may update several", async () => {
  const both: Design = {
    ...plain,
    averageDecay: undefined,
    phases: [{ ...g, updates: ["generator", "discriminator"] }, halves[1]],
  };
  const names = stateTensors(both).map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      "generator/first_moment",
      "generator/late/first_moment",
      "discriminator/first_moment",
    ]),
  );
  expect(names).not.toContain("discriminator/late/first_moment");
  const changes = async (phases: readonly Phase[]) => {
    const one = { ...both, phases };
    const from = withSteps(one, initialState(one, 1), 1);
    const { state } = await trained(one, stepOf(feeds, 0), from);
    return [...from.keys()].filter((name) => bits(from, name).join() !== bits(state, name).join());
  };
  const slots = ["parameters", "first_moment", "second_moment", "first_correction", "second_correction"];
  const ofNetwork = (prefix: string) => slots.map((slot) => `${prefix}/${slot}`);
  expect(await changes(both.phases.slice(0, 1))).toEqual([
    ...ofNetwork("generator"),
    ...ofNetwork("discriminator"),
  ]);
  const late = slots.slice(1).map((slot) => `generator/late/${slot}`);
  const own = await changes([{ ...halves[1], during: undefined }]);
  expect(own.toSorted()).toEqual(["generator/parameters", ...late].sort());
});

test("without an end, windows are shares of the steps that the design names, and the last one stays open", async () => {
  const endless = { ...design, endlessSteps: 4 };
  const { metrics } = await trained(endless, feeds, withSteps(endless, initialState(endless, 1), Infinity));
  expect(metric(metrics, "d_loss").filter((loss) => loss !== ABSENT)).toHaveLength(2);
  expect(metric(metrics, "g_loss").filter((loss) => loss !== ABSENT)).toHaveLength(4);
});

test("a training that is resumed with other epochs keeps its windows, and goes on in the last one", async () => {
  const first = await trained(design, feeds, start);
  for (const steps of [2 * STEPS, Infinity, 2]) {
    const { metrics } = await trained(design, feeds, withSteps(design, first.state, steps));
    expect(metric(metrics, "d_loss").filter((loss) => loss !== ABSENT)).toHaveLength(0);
    expect(metric(metrics, "g_loss").filter((loss) => loss !== ABSENT)).toHaveLength(STEPS);
  }
  // Without windows the schedule follows the epochs.
  const scheduled = designed("vanilla", { latent: 3, width: 4, schedule: "linear" }, image);
  const begun = new Map(withSteps(scheduled, initialState(scheduled, 1), 6));
  begun.set(STEP_STATE, { dtype: "float32", shape: [], data: Float32Array.of(6) });
  expect(floatsIn(withSteps(scheduled, begun, 12), STEPS_STATE)).toEqual(Float32Array.of(12));
});

test("an average that warms up has the decay min(most, n / (n + 10)) in step n", async () => {
  const states = await walk(design, start);
  let expected = bits(states[0], "generator/average");
  for (let n = 0; n < STEPS; n++) {
    const decay = Math.min(0.9, n / (n + 10));
    const p = bits(states[n + 1], "generator/parameters");
    expected = expected.map((a, i) => decay * a + (1 - decay) * p[i]);
    const average = bits(states[n + 1], "generator/average");
    expect(Math.max(...average.map((a, i) => Math.abs(a - expected[i])))).toBeLessThan(1e-6);
  }
});

test("a line says the parts whose metrics the step has", () => {
  const said = { ...design, line: ["loss:{a}", "D:{b} G:{c}"] };
  expect(lineOf(said, { a: 1 })).toBe("loss:1.000000");
  expect(lineOf(said, { b: 2, c: 0.5 })).toBe("D:2.000000 G:0.500000");
});
