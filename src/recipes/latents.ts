import { fillNormal, type Random } from "../tensors/random.js";
import type { Tensor, Tensors } from "../tensors/tensor.js";
import type { Sampler } from "./design.js";

/**
 * What a sampler is fed to draw `count` images: latents from a stream, and for one with classes their labels.
 *
 * @param labels the class of each image; unless given, all classes in turn.
 */
export function drawLatents(
  random: Random,
  count: number,
  { latent, classes }: Pick<Sampler, "latent" | "classes">,
  labels?: readonly number[],
): Tensors {
  const data = new Float32Array(count * latent);
  fillNormal(random, data);
  const feeds = new Map<string, Tensor>([["z", { dtype: "float32", shape: [count, latent], data }]]);
  if (classes === undefined) return feeds;
  const label = BigInt64Array.from({ length: count }, (_, i) =>
    BigInt(labels ? labels[i % labels.length] : i % classes),
  );
  return feeds.set("label", { dtype: "int64", shape: [count], data: label });
}
