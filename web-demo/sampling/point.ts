import type { Generator } from "../../src/export/description.js";
import { slerp } from "../../src/export/latent.js";
import { type Tensors, tensorsOf } from "../../src/tensors/tensor.js";

/** The input for one picture: a latent, and class weights if there are classes. */
export interface Point {
  readonly z: Float32Array;
  /** [classes], with sum 1. */
  readonly weights?: Float32Array;
}

/** The weights of a single class. */
export function oneOf(classes: number | undefined, label: number): Float32Array | undefined {
  if (classes === undefined) return undefined;
  const weights = new Float32Array(classes);
  weights[label] = 1;
  return weights;
}

/** Interpolate between two points: along the great circle of their latents, with mixed classes. */
export function between(from: Point, to: Point, t: number): Point {
  const z = slerp(from.z, to.z, t);
  if (!from.weights || !to.weights) return { z };
  const { weights } = to;
  return { z, weights: from.weights.map((weight, i) => (1 - t) * weight + t * weights[i]) };
}

/**
 * The feeds of a model for some points.
 *
 * @param mixes whether the model takes class weights. Otherwise it gets the class with the largest weight.
 */
export function feedsOf(points: readonly Point[], { latent, classes }: Generator, mixes: boolean): Tensors {
  const data = new Float32Array(points.length * latent);
  for (const [i, { z }] of points.entries()) data.set(z, i * latent);
  const z = { dtype: "float32", shape: [points.length, latent], data } as const;
  if (classes === undefined) return tensorsOf({ z });
  const all = points.map(({ weights = new Float32Array(classes) }) => weights);
  if (!mixes) {
    const labels = BigInt64Array.from(all, (weights) => BigInt(weights.indexOf(Math.max(...weights))));
    return tensorsOf({ z, label: { dtype: "int64", shape: [points.length], data: labels } });
  }
  const mixed = new Float32Array(points.length * classes);
  for (const [i, weights] of all.entries()) mixed.set(weights, i * classes);
  return tensorsOf({ z, label: { dtype: "float32", shape: [points.length, classes], data: mixed } });
}
