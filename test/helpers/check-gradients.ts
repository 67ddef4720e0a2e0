import { symbolOf } from "../../src/graph/dims.js";
import {
  add,
  cast,
  gradients,
  input,
  loop,
  mul,
  row,
  type Shape,
  square,
  sum,
  type Value,
} from "../../src/graph/index.js";
import { evaluate, type Feed, type Feeds, type Tensor } from "./run.js";

/** A differentiable function, and where to check its gradients. */
export interface GradientCase {
  readonly about: string;
  /** The shapes of its inputs. */
  readonly inputs: readonly Shape[];
  readonly f: (...xs: Value[]) => Value;
  /** Samples are ±[1/4, 5/4], multiples of 1/64: exact in float32 and away from 0. True makes them positive. */
  readonly positive?: boolean;
  /** The default is float64, unless ONNX Runtime's CPU provider has no float64 kernel. */
  readonly dtype?: "float32" | "float64";
  /** The step of the differences, if the default for the dtype is not suitable. */
  readonly step?: number;
}

/** A gradient as computed by the graph and by differences, along a direction. */
export interface Slope {
  readonly analytic: number;
  readonly numeric: number;
  /** √Σ(gᵢ·dᵢ)²: the size of what adds up to `analytic`. */
  readonly size: number;
}

export interface GradientComparison {
  readonly first: readonly Slope[];
  readonly second: readonly Slope[];
}

/** The values of symbolic dimensions. They differ, so that confusing them fails a test. */
const extents: Readonly<Record<string, number>> = { batch: 3, steps: 2 };

/** The first and second gradients of a function beside central differences in every element, at a random point. */
export async function compareGradients(check: GradientCase): Promise<GradientComparison> {
  const { inputs, f, positive = false, dtype = "float64" } = check;
  const step = check.step ?? (dtype === "float64" ? 2 ** -14 : 2 ** -5);
  const random = generator(1);
  const sample = () => (positive || random() < 0.5 ? 1 : -1) * ((16 + Math.floor(random() * 65)) / 64);
  const at = inputs.map((shape) => ({ dtype, shape, ...filled(shape, sample) }));
  const size = at.reduce((all, { data }) => all + data.length, 0);
  const directions = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => Number(i === j)),
  );
  return compareAlong(directions, { f, at, step, random });
}

/** A function at a point. */
export interface GradientPoint {
  readonly f: (...xs: Value[]) => Value;
  /** The inputs: their shapes may have symbolic dimensions, their `dims` are numbers. */
  readonly at: readonly (Tensor & { readonly dtype: "float32" | "float64"; readonly shape: Shape })[];
  /** The step of the differences. */
  readonly step: number;
  readonly random: () => number;
  /** Values for graph inputs that the function uses besides its own. */
  readonly feeds?: Feeds;
  /** Gives the gradient of an input without influence, which is an error otherwise. */
  readonly unused?: (x: Value) => Value;
}

/**
 * The first and second gradients of a function beside central differences, in one call of ONNX Runtime.
 *
 * With y = f(x) and random w, v, u:
 *
 *     L = Σ w·y + ½·v·y²     first = ∂L/∂x against differences of L
 *     P = Σ u·first          second = ∂P/∂x against differences of P
 *
 * Random weights give every element a different influence. The square makes ∂L/∂y depend on x, so that linear functions
 * have a second derivative to check too.
 *
 * The iterations of a loop are the point itself, and the points a step forward and back along every direction.
 *
 * @param directions each has a number for every element of all inputs, in order.
 */
export async function compareAlong(
  directions: readonly (readonly number[])[],
  { f, at, step, random, feeds: given = {}, unused }: GradientPoint,
): Promise<GradientComparison> {
  const feeds: Record<string, Feed> = { ...given };
  const weights = (name: string, shape: Shape) => {
    feeds[name] = filled(shape, () => 2 * random() - 1);
    return input(name, "float64", shape);
  };
  const points = pointsAround(at, directions, step);
  points.forEach((point, i) => {
    feeds[`x${i}`] = point;
  });
  feeds.count = points[0].dims[0];

  const stacks = at.map(({ dtype, shape }, i) => input(`x${i}`, dtype, ["points", ...shape]));
  const { collected } = loop(input("count", "int64", []), "points", {}, (point) => {
    const xs = stacks.map((stack) => row(stack, point));
    const y = double(f(...xs));
    const halves = mul(0.5, mul(weights("v", y.shape), square(y)));
    const loss = sum(add(mul(weights("w", y.shape), y), halves));
    const first = gradients(loss, xs, { unused });
    const parts = first.map((g, i) => sum(mul(weights(`u${i}`, g.shape), double(g))));
    const projected = parts.reduce((total, part) => add(total, part));
    const second = gradients(projected, xs, { unused });
    return {
      state: {},
      collected: { loss, projected, ...named("first", first), ...named("second", second) },
    };
  });
  const results = await evaluate(collected, feeds);

  const all = (name: string) => Array.from(results[name].data, Number);
  const compared = (gradient: string, value: string) => {
    const [, ...around] = all(value);
    const g = at.flatMap((_, i) => {
      const each = all(gradient + i);
      return each.slice(0, each.length / (around.length + 1));
    });
    return directions.map((direction, i): Slope => {
      const terms = direction.map((d, j) => d * g[j]);
      return {
        analytic: terms.reduce((total, each) => total + each, 0),
        numeric: (around[2 * i] - around[2 * i + 1]) / (2 * step),
        size: Math.sqrt(terms.reduce((total, each) => total + each * each, 0)),
      };
    });
  };
  return { first: compared("first", "loss"), second: compared("second", "projected") };
}

function named(prefix: string, values: readonly Value[]): Record<string, Value> {
  return Object.fromEntries(values.map((value, i) => [prefix + i, value]));
}

/** The point first, then two points for every direction: a step forward and back. Each tensor gets a first axis. */
function pointsAround(
  tensors: readonly Tensor[],
  directions: readonly (readonly number[])[],
  step: number,
): readonly Tensor[] {
  const all = tensors.flatMap(({ data }) => Array.from(data, Number));
  const moved = (direction: readonly number[], by: number) =>
    all.map((value, i) => value + by * direction[i]);
  const rows = [all, ...directions.flatMap((each) => [moved(each, step), moved(each, -step)])];
  let offset = 0;
  return tensors.map(({ dims, data: { length } }) => {
    const start = offset;
    offset += length;
    return { dims: [rows.length, ...dims], data: rows.flatMap((row) => row.slice(start, start + length)) };
  });
}

/** The largest error, relative to gradients above 1. NaN counts as infinite. */
export function worstError(slopes: readonly Slope[]): number {
  const errors = slopes.map(
    ({ analytic, numeric }) => Math.abs(analytic - numeric) / Math.max(1, Math.abs(numeric)),
  );
  return errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...errors);
}

function double(x: Value): Value {
  return x.dtype === "float64" ? x : cast(x, { to: "float64" });
}

function filled(shape: Shape, next: () => number): Tensor {
  const dims = shape.map((dim) => {
    const { coefficient, symbol } = symbolOf(dim);
    return symbol === "" ? coefficient : coefficient * extents[symbol];
  });
  const size = dims.reduce((product, dim) => product * dim, 1);
  return { dims, data: Float64Array.from({ length: size }, next) };
}

/** mulberry32, by Tommy Ettinger (public domain): numbers in [0, 1), the same on every machine. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
