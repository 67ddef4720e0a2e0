import { expect, test } from "vitest";
import { input, type Value } from "../../src/graph/index.js";
import { adam } from "../../src/recipes/optimizers.js";
import { fillNormal, randomStream } from "../../src/tensors/random.js";
import { Adam, type AdamOptions } from "../helpers/reference.js";
import { evaluate, type Feeds } from "../helpers/run.js";

const size = 12;
const standard: AdamOptions = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Parameters after each of some steps, by ONNX Runtime. */
async function trained(options: AdamOptions, start: Float32Array, gradients: readonly Float32Array[]) {
  const optimizer = adam(options);
  const shapes = optimizer.slots(size);
  const slots = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, input(name, "float32", shape)]),
  );
  const [parameters, gradient] = [input("p", "float32", [size]), input("g", "float32", [size])];
  const next = optimizer.update(parameters, gradient, slots);
  const outputs: Record<string, Value> = { "next/p": next.parameters };
  for (const [name, value] of Object.entries(next.slots)) outputs[`next/${name}`] = value;

  let state: Feeds = { p: Array.from(start) };
  for (const [name, shape] of Object.entries(shapes))
    state = { ...state, [name]: Array(shape[0] ?? 1).fill(0) };
  const path: number[][] = [];
  for (const g of gradients) {
    const results = await evaluate(outputs, { ...state, g: Array.from(g) });
    state = Object.fromEntries(
      Object.entries(results).map(([name, { data }]) => [
        name.slice("next/".length),
        Array.from(data, Number),
      ]),
    );
    path.push(Array.from(results["next/p"].data, Number));
  }
  return path;
}

test.each([
  ["with PyTorch's defaults", {}, 1],
  ["without a first moment (beta1 = 0)", { beta1: 0, beta2: 0.9 }, 1],
  ["without any memory (both betas 0)", { beta1: 0, beta2: 0 }, 1],
  ["with betas 0.5 and 0.999", { beta1: 0.5 }, 1],
  ["with gradients as small as epsilon, which is outside the corrected root", { epsilon: 1e-3 }, 1e-3],
  ["with an epsilon above all gradients", { epsilon: 10 }, 1],
  ["with tiny gradients", {}, 1e-12],
])("Adam follows torch.optim.Adam %s", async (_, changes, scale) => {
  const options = { ...standard, ...changes };
  const random = randomStream(1, "adam");
  const start = fillNormal(random, new Float32Array(size));
  const gradients = Array.from({ length: 8 }, () =>
    fillNormal(random, new Float32Array(size)).map((value) => value * scale),
  );
  const reference = Float64Array.from(start);
  const optimizer = new Adam(reference, options);
  for (const [step, parameters] of (await trained(options, start, gradients)).entries()) {
    optimizer.step(gradients[step]);
    parameters.forEach((value, i) => {
      // 1e-4 of a step of the learning rate: an epsilon in the wrong place is a thousand times that.
      expect(Math.abs(value - reference[i]), `step ${step + 1}, parameter ${i}`).toBeLessThan(1.5e-6);
    });
  }
});

test("parameters without a gradient stay where they are", async () => {
  const start = Float32Array.from({ length: size }, (_, i) => i - 5);
  const path = await trained(standard, start, [new Float32Array(size), new Float32Array(size)]);
  expect(path).toEqual([Array.from(start), Array.from(start)]);
});
