import type { Dataset } from "../data/dataset.js";
import {
  add,
  build,
  cast,
  concat,
  constant,
  gemm,
  input,
  type Model,
  maximum,
  mean,
  reshape,
  transpose,
  type Value,
} from "../graph/index.js";
import { encodeModel } from "../onnx/index.js";
import { type ImageShape, imageShapeOf, pixelsOf } from "../recipes/index.js";
import type { LoadedModel, OpenModel } from "../runtime/engine.js";
import { tensorIn } from "../tensors/tensor.js";
import { producer } from "../version.js";

/** The number of images per call. */
const AT_ONCE = 500;

/** Owns a model that converts images to another form: equal channels, another height and width. */
export class Adapter {
  private constructor(
    private readonly to: ImageShape,
    private readonly model: LoadedModel,
  ) {}

  static async open(from: ImageShape, to: ImageShape, open: OpenModel): Promise<Adapter> {
    return new Adapter(imageShapeOf(to), await open(encodeModel(adapting(from, to)), "the adapter"));
  }

  async adapted(images: Dataset): Promise<Dataset> {
    const { channels, height, width } = images;
    const pixels = pixelsOf(images);
    const result = new Uint8Array(images.count * pixelsOf(this.to));
    for (let first = 0; first < images.count; first += AT_ONCE) {
      const last = Math.min(images.count, first + AT_ONCE);
      const data = images.images.slice(first * pixels, last * pixels);
      const x = { dtype: "uint8", shape: [last - first, channels, height, width], data } as const;
      const outputs = await this.model.run(new Map([["images", x]]));
      result.set(tensorIn(outputs, "adapted").data as Uint8Array, first * pixelsOf(this.to));
    }
    return { ...images, ...this.to, images: result };
  }

  close(): Promise<void> {
    return this.model.close();
  }
}

/** Convert bytes [batch, channels, height, width] to another form. Resizing is linear in rows and in columns. */
function adapting(from: ImageShape, to: ImageShape): Model {
  const images = input("images", "uint8", ["batch", from.channels, from.height, from.width]);
  const grey = mean(cast(images, { to: "float32" }), [1]);
  const across = resizedRows(grey, from.height, from.width, to.width);
  const turned = transpose(across, [0, 2, 1]);
  const both = transpose(resizedRows(turned, to.width, from.height, to.height), [0, 2, 1]);
  const rounded = cast(maximum(add(both, 0.5), 0), { to: "uint8" });
  const one = reshape(rounded, ["batch", 1, to.height, to.width]);
  const adapted = concat(Array<Value>(to.channels).fill(one), 1);
  return build(
    { name: "adapter", doc: "Brings images to the form of a classifier's input.", producer },
    { inputs: [images], outputs: { adapted } },
  );
}

/** Resize [batch, rows, from] to [batch, rows, to]: multiply by the resampling weights. */
function resizedRows(x: Value, rows: number, from: number, to: number): Value {
  if (from === to) return x;
  const weights = constant("float32", [from, to], resampling(from, to));
  const flat = reshape(x, [`${rows}*batch`, from]);
  return reshape(gemm(flat, weights), ["batch", rows, to]);
}

/**
 * The weights [from, to] of linear resampling with antialiasing, as in PIL's `BILINEAR`: a triangle around the centre
 * of each new pixel, as wide as a new pixel or an old one, whichever is larger.
 */
export function resampling(from: number, to: number): Float32Array {
  const weights = new Float32Array(from * to);
  const scale = from / to;
  const reach = Math.max(1, scale);
  for (let j = 0; j < to; j++) {
    const centre = (j + 0.5) * scale;
    const column = Array.from({ length: from }, (_, i) =>
      Math.max(0, 1 - Math.abs(i + 0.5 - centre) / reach),
    );
    const total = column.reduce((sum, weight) => sum + weight, 0);
    for (const [i, weight] of column.entries()) weights[i * to + j] = weight / total;
  }
  return weights;
}
