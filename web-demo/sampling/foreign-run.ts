import type { Generator } from "../../src/export/description.js";
import type { Ports } from "../../src/export/foreign.js";
import type { LoadedModel } from "../../src/runtime/engine.js";
import { elementsOf, floatsIn, type Tensor, type Tensors, tensorIn } from "../../src/tensors/tensor.js";

/** Images [batch, channels, height, width] of a generator that another program exported, for our `z` and `label`. */
export async function runForeign(
  session: LoadedModel,
  generator: Generator,
  ports: Ports,
  feeds: Tensors,
): Promise<Float32Array> {
  const z = floatsIn(feeds, "z");
  const count = z.length / generator.latent;
  const { channels, height, width } = generator.image;
  const size = channels * height * width;
  const all = new Float32Array(count * size);
  const atOnce = ports.single ? 1 : count;
  for (let first = 0; first < count; first += atOnce) {
    const part = z.subarray(first * generator.latent, (first + atOnce) * generator.latent);
    const fed = new Map<string, Tensor>([
      [ports.latent, { dtype: "float32", shape: [atOnce, ...ports.latentShape], data: part }],
    ]);
    const label = feeds.get("label");
    if (ports.label && label) fed.set(ports.label, labelsOf(label, first, atOnce, ports.labelType));
    const images = tensorIn(await session.run(fed), ports.image).data;
    if (images.length !== atOnce * size) {
      throw new Error(`pictures have ${images.length / atOnce} numbers, but the file says ${size}`);
    }
    all.set(images as Float32Array, first * size);
  }
  return ports.channelsLast ? channelsFirst(all, generator) : all;
}

function labelsOf(label: Tensor, first: number, count: number, type: Ports["labelType"] = "int64"): Tensor {
  const row = label.data.length / label.shape[0];
  const part = label.data.subarray(first * row, (first + count) * row);
  if (label.dtype === "float32") {
    return { dtype: "float32", shape: [count, row], data: part as Float32Array };
  }
  const numbers = Array.from(part, Number);
  return { dtype: type, shape: [count], data: elementsOf(type, numbers) } as Tensor;
}

function channelsFirst(
  images: Float32Array,
  { image: { channels, height, width } }: Generator,
): Float32Array {
  const area = height * width;
  return images.map((_, i) => {
    const [picture, at] = [Math.floor(i / (channels * area)), i % (channels * area)];
    const [channel, pixel] = [Math.floor(at / area), at % area];
    return images[picture * channels * area + pixel * channels + channel];
  });
}
