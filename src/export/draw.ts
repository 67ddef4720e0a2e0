import { GanOnnxError } from "../error.js";
import type { LoadedModel } from "../runtime/engine.js";
import { floatsIn, type Tensor, type Tensors } from "../tensors/tensor.js";
import type { Generator } from "./description.js";
import { portFeeds } from "./ports.js";

/**
 * Draw images with a generator.
 *
 * @param feeds latents `z` [count, latent], and classes `label` [count] if there are any. A model with a fixed batch size
 * is called as often as necessary; the last call is filled up with repetitions.
 * @returns [count, channels, height, width], in the generator's range.
 */
export async function drawn(
  model: LoadedModel,
  { ports, batch, image }: Generator,
  feeds: Tensors,
): Promise<Float32Array> {
  const output = ports?.output ?? "image";
  const run = async (part: Tensors) =>
    floatsIn(await model.run(ports ? portFeeds(ports, part) : part), output);
  if (batch === undefined) return run(feeds);
  const count = feeds.get("z")?.shape[0] ?? 0;
  const pixels = image.channels * image.height * image.width;
  const images = new Float32Array(count * pixels);
  for (let first = 0; first < count; first += batch) {
    const rows = Math.min(batch, count - first);
    const order = Array.from({ length: batch }, (_, i) => first + (i % rows));
    const part = await run(new Map(Array.from(feeds, ([name, tensor]) => [name, rowsOf(tensor, order)])));
    if (part.length !== batch * pixels) {
      throw new GanOnnxError({
        what: `made ${part.length} numbers of a batch of ${batch} images`,
        where: output,
        fix: "export the model again",
      });
    }
    images.set(part.subarray(0, rows * pixels), first * pixels);
  }
  return images;
}

/** Some rows of a tensor, in the given order. */
function rowsOf({ dtype, shape, data }: Tensor, order: readonly number[]): Tensor {
  const size = data.length / shape[0];
  // There may be more rows than the tensor has.
  const rows = new (data.constructor as new (length: number) => typeof data)(order.length * size);
  for (const [to, from] of order.entries()) {
    rows.set(data.subarray(from * size, (from + 1) * size) as never, to * size);
  }
  return { dtype, shape: [order.length, ...shape.slice(1)], data: rows } as Tensor;
}
