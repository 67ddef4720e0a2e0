import { describe, expect, test } from "vitest";
import { add, gradients, input, mul, reshape, sizeOf, sum, type Value } from "../../src/graph/index.js";
import {
  type Affine,
  batchNormalized,
  bind,
  declarationsOf,
  doubling,
  halving,
  type Layer,
  linear,
  type Network,
  onFlatVector,
  plain,
  type Scope,
  spectrallyNormalized,
} from "../../src/networks/index.js";
import { evaluate } from "../helpers/run.js";

type Make = (scope: Scope) => unknown;
const declarations = (create: Make) => declarationsOf({ name: "test", create });

describe.each<[string, Make, readonly number[], number]>([
  ["linear", (scope) => linear(scope, "l", 6, 3), [3, 6], 6],
  ["halving", (scope) => halving(scope, "l", 6, 3), [3, 6, 4, 4], 6 * 16],
  // torch.nn.ConvTranspose2d counts the second axis of its weight, the output's: weight.size(1)·k·k.
  ["doubling", (scope) => doubling(scope, "l", 6, 3), [6, 3, 4, 4], 3 * 16],
])("%s", (_, create, shape, fanIn) => {
  test("declares PyTorch's weight and bias, uniform within 1/√fan_in", () => {
    const { parameters, size } = declarations(create);
    const init = { kind: "uniform", bound: 1 / Math.sqrt(fanIn) };
    const weight = sizeOf(shape);
    expect(parameters).toEqual([
      { name: "l.weight", shape, init, offset: 0, size: weight, frozen: false },
      { name: "l.bias", shape: [3], init, offset: weight, size: 3, frozen: false },
    ]);
    expect(size).toBe(weight + 3);
  });
});

const features = 3;

/** Numbers for each feature, so that they broadcast along axis 1 of a value of some rank. */
const along = (values: Value, rank: number) =>
  reshape(values, [1, features, ...Array<number>(rank - 2).fill(1)]);

/** A layer that scales each feature: affine, and simple enough to do its calculus by hand. */
function scaling(scope: Scope): Affine {
  const init = { kind: "constant", value: 1 } as const;
  return {
    name: "scale",
    weight: scope.parameter("scale.weight", [features], init),
    bias: scope.parameter("scale.bias", [features], init),
    outAxis: 0,
    features,
    apply(x, weight, bias) {
      const scaled = mul(x, along(weight, x.shape.length));
      return bias ? add(scaled, along(bias, x.shape.length)) : scaled;
    },
  };
}

const network: Network<Layer> = {
  name: "test",
  create: (scope) => batchNormalized(scope, scaling(scope), "bn"),
};
const given = {
  "scale.weight": [0.5, -2, 1.5],
  "scale.bias": [3, -1, 0.25],
  "bn.weight": [1.25, 0.5, -0.75],
  "bn.bias": [0.1, -0.2, 0.3],
  "bn.running_mean": [0.4, -0.3, 2],
  "bn.running_var": [1.5, 0.7, 2.5],
};
type Name = keyof typeof given;
const names = Object.keys(given) as Name[];
const valuesOf = (wanted: readonly Name[]) =>
  new Map(wanted.map((name) => [name as string, input(name, "float64", [features])]));
const learnt = names.slice(0, 4);
const buffers = valuesOf(names.slice(4));

/** Enough numbers for some dims that look random. */
const scattered = (dims: readonly number[], phase: number) =>
  Array.from({ length: sizeOf(dims) }, (_, i) => Math.sin(phase + 12.9 * i) * 3);

/** All places of a feature, in order of the tensor. */
function placesOf([batch, , ...rest]: readonly number[], feature: number): number[] {
  const area = sizeOf(rest);
  return Array.from(
    { length: batch * area },
    (_, i) => (Math.floor(i / area) * features + feature) * area + (i % area),
  );
}

const meanOf = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** torch.nn.BatchNorm's training of one feature on a scaled x, and what it hands back, in float64. */
function trainFeature(x: readonly number[], g: readonly number[], c: number) {
  const [weight, bias, gamma, beta, runningMean, runningVariance] = names.map((name) => given[name][c]);
  const pre = x.map((value) => weight * value);
  const mean = meanOf(pre);
  const variance = meanOf(pre.map((value) => (value - mean) ** 2));
  const deviation = Math.sqrt(variance + 1e-5);
  const normal = pre.map((value) => (value - mean) / deviation);
  const gn = meanOf(g.map((value, i) => value * normal[i]));
  const back = g.map((value, i) => (gamma / deviation) * (value - meanOf(g) - normal[i] * gn));
  return {
    y: normal.map((value) => value * gamma + beta),
    dx: back.map((value) => value * weight),
    dWeight: meanOf(back.map((value, i) => value * x[i])) * x.length,
    dGamma: gn * x.length,
    dBeta: meanOf(g) * x.length,
    mean: 0.9 * runningMean + 0.1 * (mean + bias),
    variance: 0.9 * runningVariance + (0.1 * variance * x.length) / (x.length - 1),
  };
}

function expectClose(found: ArrayLike<number | bigint>, expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(Number(found[i])).toBeCloseTo(value, 10);
  });
}

describe.each([
  ["BatchNorm1d", [5, features]],
  ["BatchNorm2d", [3, features, 2, 2]],
])("batchNormalized as torch.nn.%s", (_, dims) => {
  const shape = ["batch", ...dims.slice(1)];
  const [x, g] = [input("x", "float64", shape), input("g", "float64", shape)];
  const feeds = { x: scattered(dims, 1), g: scattered(dims, 2), ...given };

  test("training: result, gradients and running statistics", async () => {
    const flat = input("flat", "float64", [4 * features]);
    const bound = onFlatVector(network, flat, { training: true, buffers });
    const y = bound.forward(x);
    const [dx, dFlat] = gradients(sum(mul(g, y)), [x, flat]);
    const running = {
      mean: bound.buffers.get("bn.running_mean")!,
      variance: bound.buffers.get("bn.running_var")!,
    };
    const found = await evaluate(
      { y, dx, dFlat, ...running },
      { ...feeds, flat: learnt.flatMap((name) => given[name]) },
    );

    const places = Array.from({ length: features }, (_, c) => placesOf(dims, c));
    const plain = places.map((at, c) =>
      trainFeature(
        at.map((i) => feeds.x[i]),
        at.map((i) => feeds.g[i]),
        c,
      ),
    );
    const all = (key: "dWeight" | "dGamma" | "dBeta" | "mean" | "variance") =>
      plain.map((feature) => feature[key]);
    places.forEach((at, c) => {
      const here = (data: ArrayLike<number | bigint>) => at.map((i) => Number(data[i]));
      expectClose(here(found.y.data), plain[c].y);
      expectClose(here(found.dx.data), plain[c].dx);
    });
    const dBias = [0, 0, 0];
    expectClose(found.dFlat.data, [...all("dWeight"), ...dBias, ...all("dGamma"), ...all("dBeta")]);
    expect([...found.dFlat.data.slice(features, 2 * features)]).toEqual(dBias);
    expectClose(found.mean.data, all("mean"));
    expectClose(found.variance.data, all("variance"));
  });

  test("inference: folded into the layer, which changes nothing", async () => {
    const derived: string[] = [];
    const { forward, buffers: after } = bind(network, valuesOf(learnt), {
      training: false,
      buffers,
      derived(name, compute) {
        derived.push(name);
        return compute();
      },
    });
    const found = await evaluate({ y: forward(x) }, feeds);
    const expected = feeds.x.map((value, i) => {
      const c = Math.floor(i / sizeOf(dims.slice(2))) % features;
      const [weight, bias, gamma, beta, mean, variance] = names.map((name) => given[name][c]);
      return ((weight * value + bias - mean) / Math.sqrt(variance + 1e-5)) * gamma + beta;
    });
    expectClose(found.y.data, expected);
    expect(derived).toEqual(["scale.weight", "scale.bias"]);
    expect(after).toEqual(buffers);
  });
});

test("a batch of one, which has no unbiased variance, leaves the running one a number", async () => {
  const x = input("x", "float64", ["batch", features]);
  const bound = onFlatVector(network, input("flat", "float64", [4 * features]), { training: true, buffers });
  const y = bound.forward(x);
  const variance = bound.buffers.get("bn.running_var")!;
  const flat = learnt.flatMap((name) => given[name]);
  const found = await evaluate({ y, variance }, { ...given, flat, x: [1, 2, 3] });
  expectClose(found.y.data, given["bn.bias"]);
  const shrunk = given["bn.running_var"].map((value) => 0.9 * value);
  expectClose(found.variance.data, shrunk);
});

test("a second pass goes on from the running statistics that the first one left", async () => {
  const parameters = valuesOf(learnt);
  const apply = { training: true, derived: (_: string, compute: () => Value) => compute() };
  const [first, second] = ["first", "second"].map((name) => input(name, "float64", ["batch", features]));
  const bound = bind(network, parameters, { ...apply, buffers });
  bound.forward(first);
  const between = new Map(bound.buffers);
  bound.forward(second);
  const alone = bind(network, parameters, { ...apply, buffers: between });
  alone.forward(second);
  const mean = (values: ReadonlyMap<string, Value>) => values.get("bn.running_mean")!;
  const feeds = { ...given, first: scattered([4, 3], 3), second: scattered([4, 3], 4) };
  const found = await evaluate(
    { both: mean(bound.buffers), alone: mean(alone.buffers), one: mean(between) },
    feeds,
  );
  expect(found.both.data).toEqual(found.alone.data);
  expect(found.both.data).not.toEqual(found.one.data);
});

describe("spectral normalization", () => {
  // A rotation of diag(3, 1) and a column of zeros: singular values 3 and 1.
  const [cos, sin] = [0.8, 0.6];
  const weight = [3 * cos, -sin, 0, 3 * sin, cos, 0];
  const network: Network<Layer> = {
    name: "test",
    create(scope) {
      const once = spectrallyNormalized(scope, linear(scope, "l", 3, 2));
      return (x) => plain(once())(x);
    },
  };
  const flat = input("flat", "float32", [8]);
  const u = input("u", "float32", [2]);
  const x = input("x", "float32", ["batch", 3]);
  const { forward, buffers } = onFlatVector(network, flat, {
    training: true,
    buffers: new Map([["l.weight_u", u]]),
  });
  const y = forward(x);
  const next = buffers.get("l.weight_u") as Value;
  const feeds = { flat: [...weight, 0.5, -0.5], x: [1, 2, 3] };

  test("u follows the largest singular value, which becomes 1; the bias stays", async () => {
    expect(declarationsOf(network).buffers.map(({ name, shape }) => [name, shape])).toEqual([
      ["l.weight_u", [2]],
    ]);
    let at = [1, 0.1];
    for (let i = 0; i < 12; i++)
      at = Array.from((await evaluate({ next }, { ...feeds, u: at })).next.data, Number);
    expect(at[0]).toBeCloseTo(cos, 5);
    expect(at[1]).toBeCloseTo(sin, 5);
    const drawn = await evaluate({ y }, { ...feeds, u: at });
    const expected = [(3 * cos - 2 * sin) / 3 + 0.5, (3 * sin + 2 * cos) / 3 - 0.5];
    expected.forEach((value, i) => {
      expect(Number(drawn.y.data[i])).toBeCloseTo(value, 5);
    });
  });

  test("the gradient passes through W and σ = uᵀWv, not through u and v", async () => {
    // At the fixed point u and v stand still, so that the gradient of Σy is that of Σ (W / σ(W))·x.
    const [slope] = gradients(sum(y), [flat]);
    const { slope: found } = await evaluate({ slope }, { ...feeds, u: [cos, sin] });
    const total = (w: readonly number[]) => {
      // The largest singular value of two rows: from the eigenvalues of W·Wᵀ.
      const [p, q] = [w.slice(0, 3), w.slice(3, 6)];
      const dot = (a: readonly number[], b: readonly number[]) => a.reduce((s, v, i) => s + v * b[i], 0);
      const [a, b, c] = [dot(p, p), dot(q, q), dot(p, q)];
      const sigma = Math.sqrt((a + b) / 2 + Math.hypot((a - b) / 2, c));
      return (dot(p, feeds.x) + dot(q, feeds.x)) / sigma;
    };
    weight.forEach((_, i) => {
      const moved = (by: number) => total(weight.map((value, j) => value + (i === j ? by : 0)));
      expect(Number(found.data[i])).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 4);
    });
  });
});
