import { build, cast, div, gemm, input, type Model, mean, mul, sub, sum } from "../graph/index.js";
import { elementCount } from "../graph/ops/reduce.js";
import { encodeModel } from "../onnx/index.js";
import type { OpenModel } from "../runtime/engine.js";
import { tensorIn } from "../tensors/tensor.js";
import { producer } from "../version.js";
import type { Points } from "./neighbours.js";

/** Mean and covariance of points, in float64. */
export interface Moments {
  readonly mean: readonly number[];
  /** [width][width], unbiased. */
  readonly covariance: readonly (readonly number[])[];
}

/** A model from points [n, width] to `mean` [width] and `covariance` [width, width], computed in float64. */
function momentsModel(width: number): Model {
  const points = input("points", "float32", ["n", width], "points, a row each");
  const exact = cast(points, { to: "float64" });
  const centre = mean(exact, [0], { keepdims: true });
  const centred = sub(exact, centre);
  const covariance = div(gemm(centred, centred, { transA: true }), sub(elementCount(exact, [0]), 1));
  return build(
    { name: "moments", doc: "Mean and covariance of points.", producer },
    { inputs: [points], outputs: { mean: sum(centre, [0]), covariance: mul(covariance, 1) } },
  );
}

/**
 * Mean and covariance of points.
 *
 * @param open loads models on the CPU.
 */
export async function momentsOf({ count, width, data }: Points, open: OpenModel): Promise<Moments> {
  const model = await open(encodeModel(momentsModel(width)), "the moments");
  try {
    const points = { dtype: "float32", shape: [count, width], data: data as Float32Array } as const;
    const outputs = await model.run(new Map([["points", points]]));
    const flat = Array.from(tensorIn(outputs, "covariance").data, Number);
    return {
      mean: Array.from(tensorIn(outputs, "mean").data, Number),
      covariance: Array.from({ length: width }, (_, row) => flat.slice(row * width, (row + 1) * width)),
    };
  } finally {
    await model.close();
  }
}

/**
 * The Fréchet distance of two normal distributions (Dowson and Landau 1982; for features of images: Heusel et al. 2017,
 * https://arxiv.org/abs/1706.08500), squared, as is usual:
 *
 *     |μ₁ - μ₂|² + tr(Σ₁ + Σ₂ - 2·(Σ₁·Σ₂)^½)
 *
 * The eigenvalues of Σ₁·Σ₂ are those of the symmetric matrix Σ₁^½·Σ₂·Σ₁^½, which are real. The trace of the root is the
 * sum of their roots. The distance decreases with the number of samples, so compare only equal numbers.
 */
export async function frechetDistance(a: Moments, b: Moments): Promise<number> {
  const { EigenvalueDecomposition, Matrix } = await import("ml-matrix");
  const decomposed = (matrix: InstanceType<typeof Matrix>) =>
    new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const root = (value: number) => Math.sqrt(Math.max(0, value));

  const [first, second] = [a, b].map(({ covariance }) => new Matrix(covariance.map((row) => [...row])));
  const { eigenvectorMatrix: vectors, realEigenvalues } = decomposed(first);
  const half = vectors.mmul(Matrix.diag(realEigenvalues.map(root))).mmul(vectors.transpose());
  const product = half.mmul(second).mmul(half);
  const symmetric = Matrix.add(product, product.transpose()).mul(0.5);
  const cross = decomposed(symmetric).realEigenvalues.reduce((total, value) => total + root(value), 0);
  const shift = a.mean.reduce((total, value, i) => total + (value - b.mean[i]) ** 2, 0);
  return Math.max(0, shift + first.trace() + second.trace() - 2 * cross);
}
