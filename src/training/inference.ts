import { build, input, type Model, reshape, softmax, type Value } from "../graph/index.js";
import { bind, declarationsOf, onFlatVector, type Scope } from "../networks/index.js";
import { type Classifier, type Design, type ImageShape, pixelsOf, type Sampler } from "../recipes/index.js";
import { drawLatents } from "../recipes/latents.js";
import { fillUniform, type Random } from "../tensors/random.js";
import type { Tensors } from "../tensors/tensor.js";
import { producer } from "../version.js";
import { bufferState, parametersState } from "./names.js";
import { exportedState } from "./state.js";

type About = { readonly doc: string; readonly metadata?: Readonly<Record<string, string>> };

/** Draw images like the exported model, or with less computation if the design has a preview. */
type Drawing = "exported" | "preview";

/** The tensors of an exported network: inputs that get a training's state, or constants. */
interface Weights {
  readonly inputs: readonly Value[];
  readonly forward: unknown;
}

/**
 * The inference model of a design.
 *
 * A generator: latents `z` [batch, latent], and the classes `label` [batch] if the design has classes, to `image`
 * [batch, channels, height, width] in the sampler's range. A classifier: `image` of that form to `logits` and
 * `probabilities` [batch, classes], and `features`, the input of the last linear layer. The weights are inputs, named
 * as in the state of a training.
 */
export function buildInference(design: Design, about: About, drawn: Drawing = "exported"): Model {
  return modelOn(design, about, stateInputs(design), drawn);
}

/** Random inputs to test the model of {@link buildInference}: latents and classes, or images of noise. */
export function randomInputs({ exported, image }: Design, random: Random, count: number): Tensors {
  if (exported.kind === "generator") return drawLatents(random, count, exported);
  const [low, high] = exported.range;
  const data = fillUniform(random, new Float32Array(count * pixelsOf(image)));
  const { channels, height, width } = image;
  const shape = [count, channels, height, width];
  return new Map([["image", { dtype: "float32", shape, data: data.map((u) => low + (high - low) * u) }]]);
}

/** The same model with the weights inside, with their own names. */
export function buildExport(
  design: Design,
  about: About,
  { tensors, derived }: { tensors: ReadonlyMap<string, Value>; derived: Scope["derived"] },
): Model {
  const network = design.networks[design.exported.network];
  const { forward } = bind(network, tensors, { training: false, buffers: tensors, derived });
  return modelOn(design, about, { inputs: [], forward }, "exported");
}

/**
 * A model that shows how a design reconstructs images: bytes `x` [batch, pixels] to `image`. Undefined for designs
 * without reconstruction.
 */
export function buildReconstructor(design: Design, about: About): Model | undefined {
  const { exported, image } = design;
  if (exported.kind !== "generator" || !exported.reconstruct) return undefined;
  const x = input("x", "uint8", ["batch", pixelsOf(image)], "bytes of images");
  const { inputs, forward } = stateInputs(design);
  const outputs = { image: asImages(exported.reconstruct({ [exported.network]: forward }, x), image) };
  return build({ name: exported.network, producer, ...about }, { inputs: [x, ...inputs], outputs });
}

/**
 * A model that judges images during training: `x` [batch, channels, height, width] in the sampler's range, and their
 * classes `label` [batch] if the design has classes, to `score` [batch]. Batch normalization uses the batch, as in
 * training, so real and generated images must be in separate batches. Undefined for designs without a critic.
 */
export function buildCritic(design: Design, about: About): Model | undefined {
  const { critic, exported, image } = design;
  if (!critic) return undefined;
  const { channels, height, width } = image;
  const x = input("x", "float32", ["batch", channels, height, width], "images in the sampler's range");
  const label =
    exported.classes === undefined
      ? undefined
      : input("label", "int64", ["batch"], "the class of each image");
  const { inputs, forward } = stateInputs(design, critic.network, parametersState(critic.network), true);
  const flat = reshape(x, ["batch", pixelsOf(image)]);
  const outputs = { score: critic.trace({ [critic.network]: forward }, flat, label) };
  return build(
    { name: critic.network, producer, ...about },
    { inputs: [x, ...(label ? [label] : []), ...inputs], outputs },
  );
}

function modelOn(design: Design, about: About, { inputs: weights, forward }: Weights, drawn: Drawing): Model {
  const { exported, image } = design;
  const { inputs, outputs } =
    exported.kind === "generator"
      ? drawing(exported, image, { forward, drawn })
      : deciding(exported, image, forward);
  return build({ name: exported.network, producer, ...about }, { inputs: [...inputs, ...weights], outputs });
}

function drawing(
  sampler: Sampler,
  image: ImageShape,
  { forward, drawn }: { readonly forward: unknown; readonly drawn: Drawing },
) {
  const { network, latent, classes, preview } = sampler;
  const z = input("z", "float32", ["batch", latent], "latents: independent standard normal numbers");
  const label =
    classes === undefined
      ? undefined
      : input("label", "int64", ["batch"], `classes, from 0 to ${classes - 1}`);
  const networks = { [network]: forward };
  const images =
    drawn === "preview" && preview ? preview(networks, z, label) : sampler.trace(networks, z, label);
  const outputs = { image: asImages(images, image) };
  return { inputs: [z, ...(label ? [label] : [])], outputs };
}

function deciding({ network, range, trace }: Classifier, image: ImageShape, forward: unknown) {
  const { channels, height, width } = image;
  const shape = ["batch", channels, height, width];
  const x = input("image", "float32", shape, `images, from ${range[0]} (black) to ${range[1]} (white)`);
  const { logits, features } = trace({ [network]: forward }, reshape(x, ["batch", pixelsOf(image)]));
  return { inputs: [x], outputs: { logits, probabilities: softmax(logits), features } };
}

function asImages(value: Value, { channels, height, width }: ImageShape): Value {
  return reshape(value, ["batch", channels, height, width]);
}

function stateInputs(
  design: Design,
  network: string = design.exported.network,
  vector = exportedState(design),
  training = false,
): Weights {
  const definition = design.networks[network];
  const { size, buffers } = declarationsOf(definition);
  const flat = input(vector, "float32", [size]);
  const values = buffers.map(({ name, shape }) => input(bufferState(network, name), "float32", shape));
  const named = new Map(buffers.map(({ name }, i) => [name, values[i]] as const));
  const { forward } = onFlatVector(definition, flat, { training, buffers: named });
  return { inputs: [flat, ...values], forward };
}
