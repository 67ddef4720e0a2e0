import { expect, test } from "vitest";
import { add, gradients, input, mean, mul, square, sum, type Value } from "../../../src/graph/index.js";
import { type AdversarialOptions, adversarial, toSigned } from "../../../src/recipes/objectives/gan.js";
import { losses } from "../../../src/recipes/objectives/losses.js";
import { evaluate } from "../../helpers/run.js";

const options: AdversarialOptions = {
  pixels: 2,
  latent: 2,
  loss: losses.hinge,
  labelSmoothing: 0,
  instanceNoise: 0,
  r1: 0,
  labelled: false,
  detach: true,
  jointly: false,
};

const declared = (changed: Partial<AdversarialOptions>) =>
  adversarial({ ...options, ...changed }).map(({ inputs }) => Object.keys(inputs));

test("bytes become [-1, 1]", async () => {
  const { y } = await evaluate({ y: toSigned(input("x", "uint8", ["batch"])) }, { x: [0, 51, 127, 255] });
  [-1, 51 / 127.5 - 1, 127 / 127.5 - 1, 1].forEach((value, i) => {
    expect(Number(y.data[i])).toBeCloseTo(value, 7);
  });
});

test("noise and labels are inputs only when they are wanted", () => {
  expect(declared({})).toEqual([["x", "z_d"], ["z_g"]]);
  expect(declared({ instanceNoise: 0.1 })).toEqual([
    ["x", "z_d", "noise_real", "noise_fake"],
    ["z_g", "noise_g"],
  ]);
  expect(declared({ labelled: true })).toEqual([
    ["x", "z_d", "y_d"],
    ["z_g", "y_g"],
  ]);
});

test.each([false, true])(
  "everything that D sees has noise of the given size (jointly: %s)",
  async (jointly) => {
    const phases = adversarial({ ...options, instanceNoise: 0.25, jointly });
    const seen: Value[] = [];
    const networks = {
      generator: (z: Value) => z,
      discriminator(x: Value) {
        seen.push(x);
        return mean(x, [1], { keepdims: true });
      },
    };
    for (const phase of phases) {
      const inputs = Object.entries(phase.inputs).map(([name, { role, shape }]) => {
        return [name, input(name, role === "images" ? "uint8" : "float32", ["batch", ...shape])] as const;
      });
      phase.trace(networks, Object.fromEntries(inputs));
    }
    const feeds = {
      x: [255, 0],
      noise_real: [1, -2],
      z_d: [0.5, 0.25],
      noise_fake: [4, 8],
      z_g: [0.125, 0],
      noise_g: [-1, 1],
    };
    const results = await evaluate(Object.fromEntries(seen.map((x, i) => [String(i), x])), feeds);
    expect(seen.flatMap((_, i) => Array.from(results[i].data, Number))).toEqual([
      ...[1.25, -1.5],
      ...[1.5, 2.25],
      ...[-0.125, 0.25],
    ]);
  },
);

test.each([false, true])("R1 adds γ/2 · mean ‖∇D(x)‖² at real images (jointly: %s)", async (jointly) => {
  // D(x) = a/2·|x|², whose slope is a·x; the generated images are 0, and count in the loss alone.
  const a = input("a", "float32", []);
  const networks = {
    generator: (z: Value) => mul(z, 0),
    discriminator: (x: Value) => mul(mul(sum(square(x), [1], { keepdims: true }), a), 0.5),
  };
  const inputs = { x: input("x", "uint8", ["batch", 2]), z_d: input("z_d", "float32", ["batch", 2]) };
  const traced = (r1: number) => adversarial({ ...options, r1, jointly })[0].trace(networks, inputs);
  const [without, penalized] = [traced(0), traced(3)];
  expect(Object.keys(without.metrics)).not.toContain("r1");
  const penalty = add(penalized.loss, mul(without.loss, -1));
  const [slope] = gradients(penalty, [a]);
  const { r1 } = penalized.metrics;
  const feeds = { a: 0.5, x: [255, 0, 51, 204], z_d: [0, 0, 0, 0] };
  const results = await evaluate({ r1, penalty, slope }, feeds);
  // Mean |x|² of (1, -1) and (-0.6, 0.6).
  const squares = (2 + 0.72) / 2;
  expect(Number(results.r1.data[0])).toBeCloseTo(0.25 * squares, 5);
  expect(Number(results.penalty.data[0])).toBeCloseTo(1.5 * 0.25 * squares, 5);
  expect(Number(results.slope.data[0])).toBeCloseTo(1.5 * 2 * 0.5 * squares, 5);
});
