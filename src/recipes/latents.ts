import { fillNormal, type Random } from "../tensors/random.js";
import type { Tensor, Tensors } from "../tensors/tensor.js";
import type { Sampler } from "./design.js";

/**
 * The inputs of a sampler for `count` images: latents from a random stream, and labels if it has classes.
 *
 * @param labels the class of each image. The default is all classes in turn.
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
