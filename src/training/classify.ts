import type { Dataset } from "../data/dataset.js";
import { imageShapeOf, pixelsOf } from "../recipes/index.js";
import type { LoadedModel } from "../runtime/engine.js";
import { floatsIn, type Tensor, type Tensors } from "../tensors/tensor.js";

/** The number of images per call. */
const AT_ONCE = 1000;

/** The results of a classifier. */
export interface Classified {
  /** The class with the largest logit, for each image. */
  readonly classes: Uint8Array;
  /** [count, classes]. Each row sums to 1. */
  readonly probabilities: Float32Array;
  /** [count, size of the features]. */
  readonly features: Float32Array;
}

/**
 * Classify images.
 *
 * @param model a model with the input `image` and the outputs `probabilities` and `features`.
 * @param range the values of black and white in its input.
 * @param weights additional feeds.
 */
export async function classify(
  model: LoadedModel,
  images: Dataset,
  range: readonly [number, number],
  weights: Tensors = new Map(),
): Promise<Classified> {
  const { count } = images;
  const classes = new Uint8Array(count);
  let [probabilities, features] = [new Float32Array(), new Float32Array()];
  for (let first = 0; first < count; first += AT_ONCE) {
    const image = imagesIn(images, range, first, Math.min(count, first + AT_ONCE));
    const outputs = await model.run(new Map([["image", image], ...weights]));
    const found = {
      probabilities: floatsIn(outputs, "probabilities"),
      features: floatsIn(outputs, "features"),
    };
    const rows = image.shape[0];
    if (first === 0) {
      probabilities = new Float32Array((found.probabilities.length / rows) * count);
      features = new Float32Array((found.features.length / rows) * count);
    }
    const width = found.probabilities.length / rows;
    probabilities.set(found.probabilities, first * width);
    features.set(found.features, (first * found.features.length) / rows);
    for (let i = 0; i < rows; i++) {
      const row = found.probabilities.subarray(i * width, (i + 1) * width);
      classes[first + i] = row.indexOf(row.reduce((most, p) => Math.max(most, p)));
    }
  }
  return { classes, probabilities, features };
}

/** Images of a data set as float32 [count, channels, height, width] in a range. */
function imagesIn(
  dataset: Dataset,
  [low, high]: readonly [number, number],
  from: number,
  to: number,
): Tensor<"float32"> {
  const pixels = pixelsOf(dataset);
  const { channels, height, width } = imageShapeOf(dataset);
  // Convert first, then scale in place: `from` with a mapping function needs twenty bytes per element.
  const data = Float32Array.from(dataset.images.subarray(from * pixels, to * pixels));
  for (let i = 0; i < data.length; i++) data[i] = low + (data[i] * (high - low)) / 255;
  return { dtype: "float32", shape: [to - from, channels, height, width], data };
}
