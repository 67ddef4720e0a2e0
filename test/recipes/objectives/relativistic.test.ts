import { expect, test } from "vitest";
import { add, gradients, input, mul, square, sum, type Value } from "../../../src/graph/index.js";
import { relativistic } from "../../../src/recipes/objectives/relativistic.js";
import { evaluate } from "../../helpers/run.js";

// D(x) = a/2·|x|² + c·Σx, and e·label besides: its slope is a·x + c. G(z) = s·z.
const gamma = 3;
const a = input("a", "float32", []);
const c = input("c", "float32", []);
const s = input("s", "float32", []);
const networks = {
  generator: (z: Value) => mul(z, s),
  discriminator: (x: Value) =>
    add(mul(mul(sum(square(x), [1], { keepdims: true }), a), 0.5), mul(sum(x, [1], { keepdims: true }), c)),
};
const feeds = {
  ...{ a: 0.5, c: -0.25, s: 1.5 },
  ...{ x: [255, 0, 51, 204], z_d: [0.5, 0.25, -1, 0.75], x_g: [0, 102, 255, 51], z_g: [0.125, 0, 0.5, -1] },
};
const softplus = (v: number) => Math.log1p(Math.exp(v));
const rows = (numbers: readonly number[]) => [numbers.slice(0, 2), numbers.slice(2)];
const meanOf = (numbers: readonly number[]) => numbers.reduce((total, v) => total + v, 0) / numbers.length;

/** The losses in float64, straight from the paper's formulas. */
function expected({ a, c, s, x, z_d, x_g, z_g }: typeof feeds) {
  const opinion = (row: readonly number[]) => row.reduce((total, v) => total + (a / 2) * v * v + c * v, 0);
  const slope = (row: readonly number[]) => row.reduce((total, v) => total + (a * v + c) ** 2, 0);
  const real = (bytes: readonly number[]) => rows(bytes.map((byte) => byte / 127.5 - 1));
  const fake = (z: readonly number[]) => rows(z.map((v) => s * v));
  const margins = (bytes: readonly number[], z: readonly number[]) =>
    real(bytes).map((row, i) => opinion(row) - opinion(fake(z)[i]));
  const [r1, r2] = [real(x), fake(z_d)].map((images) => meanOf(images.map(slope)));
  const d = margins(x, z_d);
  return {
    d_loss: meanOf(d.map((margin) => softplus(-margin))) + (gamma / 2) * (r1 + r2),
    g_loss: meanOf(margins(x_g, z_g).map(softplus)),
    ...{ r1, r2, margin: meanOf(d) },
  };
}

test.each([false, true])("losses and their gradients are the paper's (jointly: %s)", async (jointly) => {
  const phases = relativistic({ pixels: 2, latent: 2, gamma, labelled: false, jointly });
  const [d, g] = phases.map((phase) => {
    const inputs = Object.entries(phase.inputs).map(([name, { role, shape }]) => {
      return [name, input(name, role === "images" ? "uint8" : "float32", ["batch", ...shape])] as const;
    });
    return phase.trace(networks, Object.fromEntries(inputs));
  });
  const [by_a, by_c] = gradients(d.loss, [a, c]);
  const [by_s] = gradients(g.loss, [s]);
  const outputs: Record<string, Value> = { ...d.metrics, ...g.metrics, by_a, by_c, by_s };
  const results = await evaluate(outputs, feeds);
  for (const [name, value] of Object.entries(expected(feeds))) {
    expect(Number(results[name].data[0]), name).toBeCloseTo(value, 5);
  }
  for (const [name, loss] of [
    ["a", "d_loss"],
    ["c", "d_loss"],
    ["s", "g_loss"],
  ] as const) {
    const at = (by: number) => expected({ ...feeds, [name]: feeds[name] + by })[loss];
    expect(Number(results[`by_${name}`].data[0]), name).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 4);
  }
});

test("networks are told the classes, both images of a pair the same one", () => {
  const declared = relativistic({ pixels: 2, latent: 2, gamma, labelled: true, jointly: true });
  expect(declared.map(({ inputs }) => Object.keys(inputs))).toEqual([
    ["x", "z_d", "y_d"],
    ["x_g", "z_g", "y_g"],
  ]);
  const told: (Value | undefined)[] = [];
  const labelled = {
    generator(z: Value, label?: Value) {
      told.push(label);
      return z;
    },
    discriminator(x: Value, label?: Value) {
      told.push(label);
      return sum(x, [1], { keepdims: true });
    },
  };
  const named = (names: Record<string, "uint8" | "float32">) =>
    Object.fromEntries(
      Object.entries(names).map(([name, dtype]) => {
        return [name, input(name, dtype, name.startsWith("y") ? ["batch"] : ["batch", 2])];
      }),
    );
  declared[0].trace(labelled, named({ x: "uint8", z_d: "float32", y_d: "uint8" }));
  expect(told.map((label) => label?.shape)).toEqual([["batch"], ["2*batch"]]);
});
