import ort from "onnxruntime-node";
import { encodeModel } from "../../src/onnx/index.js";
import {
  type Design,
  designOf,
  type ImageShape,
  pixelsOf,
  type RecipeName,
  recipes,
} from "../../src/recipes/index.js";
import { randomStream } from "../../src/tensors/random.js";
import type { Tensor, Tensors } from "../../src/tensors/tensor.js";
import { feedsOfBlock } from "../../src/training/batches.js";
import { namedTensors } from "../../src/training/state.js";
import { batchInputs, buildStepGraph } from "../../src/training/step-graph.js";
import { about } from "./run.js";

export const grey = (side: number): ImageShape => ({ channels: 1, height: side, width: side });
export const colour = (side: number): ImageShape => ({ channels: 3, height: side, width: side });

/** A recipe's design with some settings and defaults for the others. */
export function designed(
  recipe: RecipeName,
  settings: Readonly<Record<string, unknown>> = {},
  image = grey(28),
): Design {
  return designOf(recipe, recipes[recipe].settings.parse(settings), image);
}

/** Random images and noise for some steps of a design, and labels below its number of classes. */
export function randomFeeds(design: Design, image: ImageShape, steps: number, batchSize: number): Tensors {
  const inputs = batchInputs(design);
  const count = steps * batchSize * Math.max(...inputs.map(({ repeats }) => repeats));
  const random = randomStream(7, "test images");
  const bytes = (size: number, below: number) => Uint8Array.from({ length: size }, () => random.below(below));
  const images = bytes(count * pixelsOf(image), 256);
  const labels = bytes(count, design.exported.classes ?? 1);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const dataset = { name: "random", count, ...image, images, labels };
  return feedsOfBlock(
    inputs,
    dataset,
    { seed: 3, epoch: 1, order },
    { firstStep: 0, steps, batchSize },
    batchSize,
  );
}

/** The feeds of a single step. */
export function stepOf(feeds: Tensors, step: number): Tensors {
  return new Map(
    Array.from(feeds, ([name, { dtype, shape, data }]) => {
      const size = data.length / shape[0];
      const one = data.subarray(step * size, (step + 1) * size);
      return [name, { dtype, shape: [1, ...shape.slice(1)], data: one } as Tensor];
    }),
  );
}

/** Train a design on some feeds in this thread, from a state. */
export async function trained(
  design: Design,
  feeds: Tensors,
  state: Tensors,
): Promise<{ metrics: Tensors; state: Tensors }> {
  const { model } = buildStepGraph(design, about);
  const outputs = await runModel(encodeModel(model), new Map([...feeds, ...state]));
  const named = [...outputs];
  const next = named.filter(([name]) => name.startsWith("next/"));
  return {
    metrics: new Map(named.filter(([name]) => !name.startsWith("next/"))),
    state: new Map(next.map(([name, tensor]) => [name.slice("next/".length), tensor])),
  };
}

/** Run a model once in this thread. */
export async function runModel(model: Uint8Array, feeds: Tensors): Promise<Tensors> {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const given = Array.from(feeds, ([name, { dtype, shape, data }]) => {
    return [name, new ort.Tensor(dtype as "float32", data as Float32Array, shape)] as const;
  });
  const results = await session.run(Object.fromEntries(given));
  await session.release();
  return new Map(
    session.outputNames.map((name) => {
      const { type, dims, data } = results[name];
      return [name, { dtype: type, shape: dims, data } as unknown as Tensor];
    }),
  );
}

/** The parameters and buffers of one network in a state, in float64. */
export function weightsOf(design: Design, network: string, state: Tensors): Record<string, Float64Array> {
  const named = [...namedTensors(design, network, state)];
  return Object.fromEntries(named.map(([name, { data }]) => [name, Float64Array.from(data, Number)]));
}
