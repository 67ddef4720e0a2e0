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
  type Scope,
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
