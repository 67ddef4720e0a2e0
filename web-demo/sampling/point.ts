import type { Generator } from "../../src/export/description.js";
import { type Tensors, tensorsOf } from "../../src/tensors/tensor.js";
import { slerp } from "./latent.js";

/** A picture as the generator is asked for it: a latent, and how much of each class where there are classes. */
export interface Point {
  readonly z: Float32Array;
  /** [classes], of sum 1. */
  readonly weights?: Float32Array;
}

/** One class alone, as weights. */
export function oneOf(classes: number | undefined, label: number): Float32Array | undefined {
  if (classes === undefined) return undefined;
  const weights = new Float32Array(classes);
  weights[label] = 1;
  return weights;
}

/** The point between two: along the great circle of their latents, their classes mixed. */
export function between(from: Point, to: Point, t: number): Point {
  const z = slerp(from.z, to.z, t);
  if (!from.weights || !to.weights) return { z };
  const { weights } = to;
  return { z, weights: from.weights.map((weight, i) => (1 - t) * weight + t * weights[i]) };
}

/**
 * What a model is fed to draw points.
 *
 * @param mixes whether it takes weights; else it is told the class that has the most.
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
