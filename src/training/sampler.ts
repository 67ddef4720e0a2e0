import { build, constant, input, type Model, reshape, type Value } from "../graph/index.js";
import { onFlatVector, parameterCount, withParameters } from "../networks/index.js";
import { producer } from "../version.js";
import type { Design, ImageShape } from "./recipes/index.js";
import type { Tensors } from "./session.js";
import { parametersState } from "./step-graph.js";

/**
 * The model that draws samples: latents `z` [batch, latent] to `image` [batch, channels, height, width] in the
 * sampler's range. The weights are inside, by their names, when they are given; otherwise the network's flat vector
 * is an input, under the name that it has in a training's state.
 */
export function buildSampler(
  design: Design,
  { channels, height, width }: ImageShape,
  about: { readonly doc: string; readonly metadata?: Readonly<Record<string, string>> },
  weights?: ReadonlyMap<string, Tensors[string]>,
): Model {
  const { network, latent, trace } = design.sampler;
  const z = input("z", "float32", ["batch", latent], "latents: independent standard normal numbers");
  const { inputs, forward } = weights ? withWeights(design, weights) : withInput(design);
  const image = trace({ [network]: forward }, z);
  return build(
    { name: network, producer, ...about },
    { inputs: [z, ...inputs], outputs: { image: reshape(image, ["batch", channels, height, width]) } },
  );
}

type Source = { readonly inputs: readonly Value[]; readonly forward: unknown };

function withWeights({ networks, sampler }: Design, weights: ReadonlyMap<string, Tensors[string]>): Source {
  const constants = [...weights].map(
    ([name, { shape, data }]) => [name, constant("float32", shape, data as Float32Array, name)] as const,
  );
  return { inputs: [], forward: withParameters(networks[sampler.network], new Map(constants)) };
}

function withInput({ networks, sampler }: Design): Source {
  const network = networks[sampler.network];
  const flat = input(parametersState(sampler.network), "float32", [parameterCount(network)]);
  return { inputs: [flat], forward: onFlatVector(network, flat) };
}
