import type { Ports } from "../networks/role.js";
import type { LoadedModel } from "../runtime/engine.js";
import { floatsIn, type Tensor, type Tensors, tensorIn } from "../tensors/tensor.js";
import type { Generator } from "./description.js";
import { portFeeds } from "./ports.js";

/** Run a generator with its own inputs on our `z` and `label`. Returns images [batch, channels, height, width]. */
export async function runForeign(
  session: LoadedModel,
  { latent, image }: Pick<Generator, "latent" | "image">,
  ports: Ports,
  feeds: Tensors,
): Promise<Float32Array> {
  const z = floatsIn(feeds, "z");
  const count = z.length / latent;
  const { channels, height, width } = image;
  const size = channels * height * width;
  const all = new Float32Array(count * size);
  const atOnce = ports.single ? 1 : count;
  for (let first = 0; first < count; first += atOnce) {
    const fed = portFeeds(ports, rowsOf(feeds, first, atOnce));
    const images = tensorIn(await session.run(fed), ports.output).data;
    if (images.length !== atOnce * size) {
      throw new Error(`pictures have ${images.length / atOnce} numbers, but the file says ${size}`);
    }
    all.set(images as Float32Array, first * size);
  }
  return ports.channelsLast ? channelsFirst(all, image) : all;
}

/** Some rows of all feeds. */
function rowsOf(feeds: Tensors, first: number, count: number): Tensors {
  return new Map(
    Array.from(feeds, ([name, { dtype, shape, data }]) => {
      const row = data.length / shape[0];
      const part = data.subarray(first * row, (first + count) * row);
      return [name, { dtype, shape: [count, ...shape.slice(1)], data: part } as Tensor];
    }),
  );
}

function channelsFirst(images: Float32Array, { channels, height, width }: Generator["image"]): Float32Array {
  const area = height * width;
  return images.map((_, i) => {
    const [picture, at] = [Math.floor(i / (channels * area)), i % (channels * area)];
    const [channel, pixel] = [Math.floor(at / area), at % area];
    return images[picture * channels * area + pixel * channels + channel];
  });
}
