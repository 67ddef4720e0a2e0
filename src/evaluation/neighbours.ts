import {
  add,
  build,
  cast,
  gemm,
  input,
  lessOrEqual,
  type Model,
  maximum,
  min,
  reshape,
  type Shape,
  square,
  sum,
  topK,
  transpose,
  type Value,
} from "../graph/index.js";
import { encodeModel } from "../onnx/index.js";
import type { LoadedModel, OpenModel } from "../runtime/engine.js";
import { floatsIn, type Tensor, type Tensors, tensorIn } from "../tensors/tensor.js";
import { producer } from "../version.js";

/** Points in a feature space, row by row. */
export interface Points {
  readonly count: number;
  readonly width: number;
  /** [count, width], numbers or bytes. */
  readonly data: Float32Array | Uint8Array;
}

/** The approximate number of distances in memory per call. */
const AT_ONCE = 2 ** 21;

/** |a - b|² of all pairs of rows of two matrices, [m, width] and [n, width] to [m, n]: |a|² + |b|² - 2·a·b. */
function squaredDistances(a: Value, b: Value): Value {
  const norms = (rows: Value) => sum(square(rows), [1], { keepdims: true });
  const both = add(norms(a), transpose(norms(b), [1, 0]));
  return maximum(add(both, gemm(a, b, { transB: true, alpha: -2 })), 0);
}

const points = (name: string, rows: string, width: number, dtype: "float32" | "uint8") =>
  input(name, dtype, [rows, width], "points, a row each");

const floats = (value: Value) => (value.dtype === "float32" ? value : cast(value, { to: "float32" }));

/** The k nearest rows of `reference` for each row of `query`: squared `distances`, ascending, and `indices`. */
function nearestModel(width: number, k: number, dtype: "float32" | "uint8"): Model {
  const [a, b] = [points("query", "m", width, dtype), points("reference", "n", width, dtype)];
  const { values, indices } = topK(squaredDistances(floats(a), floats(b)), k, 1, { largest: false });
  return build(
    { name: "nearest", doc: "Nearest neighbours.", producer },
    { inputs: [a, b], outputs: { distances: values, indices } },
  );
}

/** The model of {@link Neighbours.overlap} for some rows of `query`. */
function overlapModel(width: number): Model {
  const [a, b] = [points("query", "m", width, "float32"), points("reference", "n", width, "float32")];
  const radii = (name: string, rows: string) => input(name, "float32", [rows], "squared radii");
  const [own, small, large] = [radii("own", "m"), radii("small", "n"), radii("large", "n")];
  const distances = squaredDistances(a, b);
  const within = (r: Value, shape: Shape) =>
    cast(lessOrEqual(distances, reshape(r, shape)), { to: "float32" });
  const outputs = {
    small_balls: sum(within(small, [1, "n"]), [1]),
    large_balls: sum(within(large, [1, "n"]), [1]),
    covering: sum(within(own, ["m", 1]), [0]),
    nearest: min(distances, [0]),
  };
  return build(
    { name: "overlap", doc: "Balls around two sets of points that contain points of the other.", producer },
    { inputs: [a, b, own, small, large], outputs },
  );
}

/** How two sets of points lie in balls around each other's. */
export interface Overlap {
  /** For each point of the query, the number of small balls around points of the reference that contain it. */
  readonly smallBalls: Float32Array;
  /** The same for the large balls. */
  readonly largeBalls: Float32Array;
  /** For each point of the reference, the number of balls around points of the query that contain it. */
  readonly covering: Float32Array;
  /** For each point of the reference, the squared distance to the nearest point of the query. */
  readonly nearest: Float32Array;
}

/** Finds nearest neighbours of points with ONNX Runtime. */
export class Neighbours {
  private readonly models = new Map<string, Promise<LoadedModel>>();

  /** @param open loads models on the CPU. */
  constructor(private readonly open: OpenModel) {}

  /**
   * The k nearest points of `reference` for each point of `query`: squared distances [count, k], ascending, and
   * indices. A point in both sets is its own nearest neighbour.
   */
  async nearest(
    query: Points,
    reference: Points,
    k: number,
  ): Promise<{ distances: Float32Array; indices: number[] }> {
    const dtype = query.data instanceof Uint8Array ? "uint8" : "float32";
    const model = await this.model(`nearest ${query.width} ${k} ${dtype}`, () =>
      nearestModel(query.width, k, dtype),
    );
    const distances = new Float32Array(query.count * k);
    const indices: number[] = [];
    for await (const { first, outputs } of this.inParts(model, query, [["reference", tensorOf(reference)]])) {
      distances.set(floatsIn(outputs, "distances"), first * k);
      for (const index of tensorIn(outputs, "indices").data) indices.push(Number(index));
    }
    return { distances, indices };
  }

  /**
   * Balls around two sets of points that contain points of the other. All distances are computed once.
   *
   * @param own the squared radius of the ball around each point of `query`.
   * @param small the squared radius of the small ball around each point of `reference`.
   * @param large that of the large ball.
   */
  async overlap(
    query: Points,
    reference: Points,
    { own, small, large }: { readonly [K in "own" | "small" | "large"]: Float32Array },
  ): Promise<Overlap> {
    const model = await this.model(`overlap ${query.width}`, () => overlapModel(query.width));
    const [smallBalls, largeBalls] = [new Float32Array(query.count), new Float32Array(query.count)];
    const covering = new Float32Array(reference.count);
    const nearest = new Float32Array(reference.count).fill(Number.POSITIVE_INFINITY);
    const further: [string, Tensor][] = [
      ["reference", tensorOf(reference)],
      ["small", vectorOf(small)],
      ["large", vectorOf(large)],
    ];
    for await (const { first, outputs } of this.inParts(model, query, further, own)) {
      smallBalls.set(floatsIn(outputs, "small_balls"), first);
      largeBalls.set(floatsIn(outputs, "large_balls"), first);
      const [more, near] = [floatsIn(outputs, "covering"), floatsIn(outputs, "nearest")];
      for (let i = 0; i < reference.count; i++) {
        covering[i] += more[i];
        nearest[i] = Math.min(nearest[i], near[i]);
      }
    }
    return { smallBalls, largeBalls, covering, nearest };
  }

  async close(): Promise<void> {
    await Promise.all([...this.models.values()].map(async (model) => (await model).close()));
  }

  /** @param own a number for each point of the query, for models with the input `own`. */
  private async *inParts(
    model: LoadedModel,
    query: Points,
    further: readonly [string, Tensor][],
    own?: Float32Array,
  ): AsyncGenerator<{ first: number; outputs: Tensors }> {
    const [[, reference]] = further;
    const rows = Math.max(1, Math.floor(AT_ONCE / reference.shape[0]));
    for (let first = 0; first < query.count; first += rows) {
      const end = Math.min(query.count, first + rows);
      const feeds = new Map([["query", tensorOf(sliced(query, first, end))], ...further]);
      if (own) feeds.set("own", vectorOf(own.subarray(first, end)));
      yield { first, outputs: await model.run(feeds) };
    }
  }

  private model(key: string, make: () => Model): Promise<LoadedModel> {
    const cached = this.models.get(key);
    if (cached) return cached;
    const opened = this.open(encodeModel(make()), key);
    this.models.set(key, opened);
    return opened;
  }
}

/** The points from index `from` to before index `to`. */
export function sliced({ width, data }: Points, from: number, to: number): Points {
  return { count: to - from, width, data: data.subarray(from * width, to * width) };
}

function tensorOf({ count, width, data }: Points): Tensor {
  const shape = [count, width];
  return data instanceof Uint8Array ? { dtype: "uint8", shape, data } : { dtype: "float32", shape, data };
}

function vectorOf(data: Float32Array): Tensor {
  return { dtype: "float32", shape: [data.length], data };
}

/** One column of numbers [rows, columns]. */
export function columnOf(values: Float32Array, columns: number, column: number): Float32Array {
  return Float32Array.from({ length: values.length / columns }, (_, row) => values[row * columns + column]);
}
