import { expect, test } from "vitest";
import { adam } from "../../../src/recipes/optimizers/index.js";
import { fillNormal, randomStream } from "../../../src/tensors/random.js";
import { optimized } from "../../helpers/optimized.js";
import { Adam, type AdamOptions } from "../../helpers/reference.js";

const size = 12;
const standard: AdamOptions = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Parameters after each of some steps, by ONNX Runtime. */
async function trained(options: AdamOptions, start: Float32Array, gradients: readonly Float32Array[]) {
  const each = gradients.map((g) => [Array.from(g)]);
  return (await optimized({ optimizer: adam(options) }, [Array.from(start)], each)).map(([path]) => path);
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
