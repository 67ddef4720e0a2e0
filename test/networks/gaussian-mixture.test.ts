import { expect, test } from "vitest";
import { constant, input, loop, row, type Value } from "../../src/graph/index.js";
import type { GaussianMixture } from "../../src/networks/gaussian-mixture.js";
import { bind, declarationsOf, factorized, gaussianMixture, type Network } from "../../src/networks/index.js";
import { fillNormal, fillUniform, randomStream } from "../../src/tensors/random.js";
import { evaluate } from "../helpers/run.js";

const size = { classes: 2, components: 3, latent: 2 };
const network: Network<GaussianMixture> = {
  name: "mixture",
  create: (scope) => gaussianMixture(scope, "prior", size),
};
const floats = ({ data }: { data: ArrayLike<number | bigint> }) => Array.from(data, Number);

/** Six components: weights, means and lower triangular factors. */
const weights = [0.2, 0.5, 0.3, 0.1, 0.1, 0.8];
const means = [0, 1, -2, 0.5, 3, 3, 1, 1, 0, 0, -1, 2];
const factors = [1, 0.5, 2, 0.3, 0.7, 1.5].map((scale, i) => [scale, 0, 0.4 * i - 1, 1 + scale / 2]);
const inverses = factors.map(([a, , c, d]) => [1 / a, 0, -c / (a * d), 1 / d]);
const values = (shape: readonly number[], data: readonly number[]) =>
  constant("float32", shape, Float32Array.from(data));
const known = new Map<string, Value>([
  ["prior.log_weights", values([2, 3], weights.map(Math.log))],
  ["prior.means", values([6, 2], means)],
  ["prior.factors", values([6, 2, 2], factors.flat())],
  ["prior.whitening", values([6, 2, 2], inverses.flat())],
]);
const bound = (buffers: ReadonlyMap<string, Value>) =>
  bind(network, new Map(), { training: true, buffers, derived: (_, compute) => compute() });

test("matrices are factorized: A = L·Lᵀ with L lower triangular, and W·L = 1", async () => {
  const [n, k] = [3, 5];
  const random = fillNormal(randomStream(1, "matrices"), new Float32Array(n * k * k));
  const product = (a: ArrayLike<number>, b: (row: number, column: number) => number, m: number) =>
    Array.from({ length: k * k }, (_, at) => {
      const [i, j] = [Math.floor(at / k), at % k];
      return Array.from({ length: k }, (_, l) => a[m * k * k + i * k + l] * b(l, j)).reduce((x, y) => x + y);
    });
  const turned = (a: ArrayLike<number>, m: number) => (i: number, j: number) => a[m * k * k + j * k + i];
  const plain = (a: ArrayLike<number>, m: number) => (i: number, j: number) => a[m * k * k + i * k + j];
  const each = [0, 1, 2];
  const unit = Array.from({ length: k * k }, (_, at) => +(at % (k + 1) === 0));
  const given = each.flatMap((m) => product(random, turned(random, m), m).map((x, i) => x + unit[i] / 10));
  const result = await evaluate({ ...factorized(values([n, k, k], given), n, k) });
  const [l, w] = [floats(result.factors), floats(result.whitening)];
  for (const m of each) {
    const expected = given.slice(m * k * k, (m + 1) * k * k);
    expect(Math.max(...product(l, turned(l, m), m).map((x, i) => Math.abs(x - expected[i])))).toBeLessThan(
      1e-4,
    );
    expect(Math.max(...product(w, plain(l, m), m).map((x, i) => Math.abs(x - unit[i])))).toBeLessThan(1e-4);
    const above = l.slice(m * k * k, (m + 1) * k * k).filter((_, at) => at % k > Math.floor(at / k));
    expect(Math.max(...above.map(Math.abs))).toBeLessThan(1e-5);
  }
});

test("the density is Σ w·N(x; m, L·Lᵀ) over the components of the class", async () => {
  const x = [0.3, -1, 2, 2.5, -0.5, 0];
  const label = [0, 1, 0];
  const classes = label.flatMap((c) => [+(c === 0), +(c === 1)]);
  const { logDensity } = bound(known).forward;
  const { d } = await evaluate({ d: logDensity(values([3, 2], x), values([3, 2], classes)) });
  const expected = label.map((c, i) => {
    const density = [0, 1, 2].reduce((sum, k) => {
      const at = 3 * c + k;
      const [a, , b, e] = factors[at];
      const u = (x[2 * i] - means[2 * at]) / a;
      const v = (x[2 * i + 1] - means[2 * at + 1] - b * u) / e;
      return sum + (weights[at] * Math.exp(-(u * u + v * v) / 2)) / (2 * Math.PI * a * e);
    }, 0);
    return Math.log(density);
  });
  floats(d).forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 4);
  });
});

test("a sample is m + T·L·ε of the component in whose part of the weights Φ of its first number lies", async () => {
  // Φ is 0.159, 0.5, 0.841 and 0.977.
  const first = [-1, 0, 1, 2];
  const noise = [1, 2, -1, 0.5, 0.25, 0, 3, -2];
  const z = first.flatMap((one, i) => [one, noise[2 * i], noise[2 * i + 1]]);
  const label = [0, 0, 0, 1];
  const component = [0, 1, 2, 5];
  const classes = label.flatMap((c) => [+(c === 0), +(c === 1)]);
  const { sample } = bound(known).forward;
  const { s } = await evaluate({ s: sample(values([4, 3], z), values([4, 2], classes), 0.5) });
  const expected = component.flatMap((k, i) => {
    const [a, , b, d] = factors[k];
    const [u, v] = [noise[2 * i], noise[2 * i + 1]];
    return [means[2 * k] + 0.5 * a * u, means[2 * k + 1] + 0.5 * (b * u + d * v)];
  });
  floats(s).forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 4);
  });
});

test("online EM finds clusters, their weights and their spread, with the uncertainty added", async () => {
  const [steps, batch] = [600, 24];
  const random = randomStream(5, "clusters");
  const normal = fillNormal(random, new Float32Array(steps * batch * 2));
  const uniform = fillUniform(random, new Float32Array(steps * batch * 2));
  // Class 0: three clusters with weights 0.5, 0.3 and 0.2. Class 1: one.
  const centres = [
    [-4, 0],
    [4, 2],
    [0, 7],
  ];
  const classes: number[] = [];
  const x = Array.from({ length: steps * batch }, (_, i) => {
    const c = +(i % 3 === 0);
    classes.push(1 - c, c);
    const u = uniform[2 * i];
    const [a, b] = c === 1 ? [1, -5] : centres[u < 0.5 ? 0 : u < 0.8 ? 1 : 2];
    return [a + 0.5 * normal[2 * i], b + normal[2 * i + 1]];
  }).flat();
  const chance = Array.from({ length: steps * batch }, (_, i) => uniform[2 * i + 1]);
  const { buffers } = declarationsOf(network);
  const start = Object.fromEntries(
    buffers.map(({ name, shape, init }) => {
      const count = shape.reduce((a, b) => a * b, 1);
      const data =
        init.kind === "given"
          ? Array.from(init.values)
          : Array(count).fill(init.kind === "constant" ? init.value : 0);
      return [name, values(shape, data)];
    }),
  );
  const [xs, cs, us] = [
    input("xs", "float32", ["steps", batch, 2]),
    input("classes", "float32", ["steps", batch, 2]),
    input("chance", "float32", ["steps", batch, 1]),
  ];
  const { state } = loop(input("count", "int64", []), "steps", start, (step, current) => {
    const { forward, buffers } = bound(new Map(Object.entries(current)));
    const spread = constant("float32", [batch, 2], new Float32Array(batch * 2).fill(0.25));
    forward.fit(row(xs, step), spread, row(cs, step), row(us, step));
    return { state: Object.fromEntries(buffers), collected: {} };
  });
  const feeds = {
    count: steps,
    xs: { dims: [steps, batch, 2], data: x },
    classes: { dims: [steps, batch, 2], data: classes },
    chance: { dims: [steps, batch, 1], data: chance },
  };
  const found = await evaluate(state, feeds);
  const [m, w, l] = ["prior.means", "prior.log_weights", "prior.factors"].map((name) => floats(found[name]));
  centres.forEach(([a, b], i) => {
    const near = [0, 1, 2].filter((k) => Math.hypot(m[2 * k] - a, m[2 * k + 1] - b) < 1);
    const weight = near.reduce((sum, k) => sum + Math.exp(w[k]), 0);
    expect(weight).toBeGreaterThan([0.45, 0.25, 0.15][i]);
    expect(weight).toBeLessThan([0.55, 0.35, 0.25][i]);
    // The variance 0.25 has 0.25 added, and something of the time when the component was larger.
    if (near.length === 1) {
      expect(l[4 * near[0]] ** 2).toBeGreaterThan(0.4);
      expect(l[4 * near[0]] ** 2).toBeLessThan(1.1);
    }
  });
  const total = [0, 1].map((c) => [0, 1, 2].reduce((sum, k) => sum + Math.exp(w[3 * c + k]), 0));
  for (const sum of total) expect(sum).toBeCloseTo(1, 4);
});
