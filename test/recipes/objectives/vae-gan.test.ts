import { expect, test } from "vitest";
import { gradients, input, mul, sum, type Value } from "../../../src/graph/index.js";
import { polishPhases } from "../../../src/recipes/objectives/vae-gan.js";
import { adam } from "../../../src/recipes/optimizers/index.js";
import { evaluate } from "../../helpers/run.js";

const [ERROR_WEIGHT, CLASSIFIER_WEIGHT] = [0.25, 0.5];
const images = [
  [255, 0],
  [100, 220],
  [30, 40],
];
const labels = [1, 0, 1];
const [z, eps] = [
  [
    [0.3, -0.2],
    [1, 2],
    [-0.5, 0.25],
  ],
  [
    [0.5, -1],
    [0.25, 0.75],
    [2, -0.125],
  ],
];
const [a, b] = [0.75, 1.5];

/**
 * The phases, with networks of one parameter each: the decoder multiplies by a; the discriminator's logit of being real
 * is b times the sum of the pixels, and the auxiliary classifier's are b times the pixels.
 */
function traced(classifies: boolean) {
  const value = (name: string) => input(name, "float32", ["batch", 2]);
  const noise = value("z");
  const [decoding, judging] = [input("a", "float32", []), input("b", "float32", [])];
  const networks = {
    encoder: (x: Value) => ({ mu: x, logVariance: mul(x, 0) }),
    generator: { decode: (code: Value) => mul(code, decoding) },
    discriminator: (x: Value) => {
      const classes = mul(x, judging);
      return { real: mul(sum(x, [1], { keepdims: true }), judging), ...(classifies && { classes }) };
    },
  };
  const everything = [0, 1] as const;
  const own = { name: "own", optimizer: adam({ learningRate: 1, beta1: 0, beta2: 0, epsilon: 1 }) };
  const phases = polishPhases({
    ...{ pixels: 2, latent: 2, labelled: true, noise: 2, errorWeight: ERROR_WEIGHT },
    ...(classifies && { classifier: { weight: CLASSIFIER_WEIGHT, window: everything, optimization: own } }),
    windows: { discriminator: everything, polish: everything },
    drawn: ({ decode }, z) => decode(z),
  });
  const inputs = {
    x: input("x", "uint8", ["batch", 2]),
    y: input("y", "int64", ["batch"]),
    ...{ eps: value("eps"), z_d: noise, z_g: noise },
  };
  const results = phases.map((phase) => phase.trace(networks, inputs));
  const [d, g] = results.slice(-2);
  return { first: results.length === 3 ? results[0] : undefined, d, g, decoding, judging };
}

const softplus = (value: number) => Math.log(1 + Math.exp(value));
const average = (values: readonly number[]) =>
  values.reduce((total, value) => total + value, 0) / values.length;
const signed = images.map((row) => row.map((byte) => byte / 127.5 - 1));
const logit = (row: readonly number[], b: number) => b * (row[0] + row[1]);
/** -ln softmax(b·x)[label], of two classes. */
const entropy = (rows: readonly (readonly number[])[], b: number) =>
  average(rows.map((row, i) => softplus(b * (row[1 - labels[i]] - row[labels[i]]))));
const drawnBy = (a: number) => z.map((row) => row.map((value) => a * value));

const discriminatorsLoss = (b: number, classifies: boolean) =>
  average(signed.map((row) => softplus(-logit(row, b)))) +
  average(drawnBy(a).map((row) => softplus(logit(row, b)))) +
  Number(classifies) * entropy(signed, b);

const decodersLoss = (a: number, classifies: boolean) =>
  average(drawnBy(a).map((row) => softplus(-logit(row, b)))) +
  ERROR_WEIGHT *
    average(signed.map((row, n) => row.reduce((total, x, i) => total + (a * (x + eps[n][i]) - x) ** 2, 0))) +
  Number(classifies) * CLASSIFIER_WEIGHT * entropy(drawnBy(a), b);

test.each([true, false])(
  "losses and gradients are those of float64, with an auxiliary classifier: %s",
  async (classifies) => {
    const { first, d, g, decoding, judging } = traced(classifies);
    expect(first !== undefined).toBe(classifies);
    expect("class_loss" in d.metrics).toBe(classifies);
    expect("asked_loss" in g.metrics).toBe(classifies);
    const [d_slope] = gradients(d.loss, [judging]);
    const [g_slope] = gradients(g.loss, [decoding]);
    const outputs: Record<string, Value> = {
      ...(first && { first_loss: first.loss }),
      d_loss: d.loss,
      g_loss: g.loss,
      d_slope,
      g_slope,
    };
    const feeds = { x: images.flat(), y: labels, eps: eps.flat(), z: z.flat(), a, b };
    const results = await evaluate(outputs, feeds);
    const number = (name: string) => Number(results[name].data[0]);
    const slopeOf = (f: (at: number) => number, at: number) => (f(at + 1e-5) - f(at - 1e-5)) / 2e-5;
    if (first) expect(number("first_loss")).toBeCloseTo(entropy(signed, b), 5);
    expect(number("d_loss")).toBeCloseTo(discriminatorsLoss(b, classifies), 5);
    expect(number("g_loss")).toBeCloseTo(decodersLoss(a, classifies), 5);
    expect(number("d_slope")).toBeCloseTo(
      slopeOf((at) => discriminatorsLoss(at, classifies), b),
      4,
    );
    expect(number("g_slope")).toBeCloseTo(
      slopeOf((at) => decodersLoss(at, classifies), a),
      4,
    );
  },
);
