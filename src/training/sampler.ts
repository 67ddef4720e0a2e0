import { build, input, type Model, reshape, type Value } from "../graph/index.js";
import { bind, declarationsOf, onFlatVector, type Scope } from "../networks/index.js";
import { type Design, type ImageShape, pixelsOf } from "../recipes/index.js";
import { producer } from "../version.js";
import { bufferState, parametersState } from "./names.js";
import { sampledState } from "./state.js";

type About = { readonly doc: string; readonly metadata?: Readonly<Record<string, string>> };

/** Where the tensors of a sampler come from: inputs that a training's state is fed to, or constants. */
interface Weights {
  readonly inputs: readonly Value[];
  readonly forward: unknown;
}

/**
 * The model that draws samples: latents `z` [batch, latent], and the classes `label` [batch] if the design has any, to
 * `image` [batch, channels, height, width] in the sampler's range. Its weights are inputs, by their names in the
 * state of a training.
 */
export function buildSampler(design: Design, about: About): Model {
  return samplerOn(design, about, stateInputs(design));
}

/** The same model with the weights inside, by their own names. */
export function buildExport(
  design: Design,
  about: About,
  { tensors, derived }: { tensors: ReadonlyMap<string, Value>; derived: Scope["derived"] },
): Model {
  const network = design.networks[design.sampler.network];
  const { forward } = bind(network, tensors, { training: false, buffers: tensors, derived });
  return samplerOn(design, about, { inputs: [], forward });
}

/**
 * The model that shows what a design makes of given images: bytes `x` [batch, pixels] to `image`. Undefined for
 * designs that only sample.
 */
export function buildReconstructor(design: Design, about: About): Model | undefined {
  const { network, reconstruct } = design.sampler;
  if (!reconstruct) return undefined;
  const x = input("x", "uint8", ["batch", pixelsOf(design.image)], "bytes of images");
  const { inputs, forward } = stateInputs(design);
  const outputs = { image: asImages(reconstruct({ [network]: forward }, x), design.image) };
  return build({ name: network, producer, ...about }, { inputs: [x, ...inputs], outputs });
}

/**
 * The model that judges images while a design is trained: `x` [batch, channels, height, width] in the sampler's range,
 * and their classes `label` [batch] if the design has any, to `score` [batch]. It normalises by its batch, as in
 * training, so real and generated images come in batches of their own. Undefined for designs without a critic.
 */
export function buildCritic(design: Design, about: About): Model | undefined {
  const { critic, sampler, image } = design;
  if (!critic) return undefined;
  const { channels, height, width } = image;
  const x = input("x", "float32", ["batch", channels, height, width], "images in the sampler's range");
  const label =
    sampler.classes === undefined ? undefined : input("label", "int64", ["batch"], "the class of each image");
  const { inputs, forward } = stateInputs(design, critic.network, parametersState(critic.network), true);
  const flat = reshape(x, ["batch", pixelsOf(image)]);
  const outputs = { score: critic.trace({ [critic.network]: forward }, flat, label) };
  return build(
    { name: critic.network, producer, ...about },
    { inputs: [x, ...(label ? [label] : []), ...inputs], outputs },
  );
}

function samplerOn(design: Design, about: About, { inputs, forward }: Weights): Model {
  const { network, latent, classes, trace } = design.sampler;
  const z = input("z", "float32", ["batch", latent], "latents: independent standard normal numbers");
  const label =
    classes === undefined
      ? undefined
      : input("label", "int64", ["batch"], `classes, from 0 to ${classes - 1}`);
  const outputs = { image: asImages(trace({ [network]: forward }, z, label), design.image) };
  return build(
    { name: network, producer, ...about },
    { inputs: [z, ...(label ? [label] : []), ...inputs], outputs },
  );
}

function asImages(value: Value, { channels, height, width }: ImageShape): Value {
  return reshape(value, ["batch", channels, height, width]);
}

function stateInputs(
  design: Design,
  network: string = design.sampler.network,
  vector = sampledState(design),
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
