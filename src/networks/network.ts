import { input, reshape, sizeOf, split, type Value, withScope } from "../graph/index.js";

/** How a parameter starts. `uniform` draws from [-bound, bound). */
export type Initializer =
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "constant"; readonly value: number };

/** A trainable tensor of a network, named as PyTorch would name it, e.g. `gen.0.weight`. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Initializer;
}

/** Where a parameter lies in its network's flat vector. */
export interface Placed extends Parameter {
  readonly offset: number;
  readonly size: number;
}

/** What a network is given to be made of. Layers ask it for their parameters. */
export interface Scope {
  parameter(name: string, shape: readonly number[], init: Initializer): Value;
}

/**
 * A network: a plain function over symbolic values, or several that share parameters. `create` declares the layers,
 * the functions it returns append nodes; calling them again uses the same parameters.
 */
export interface Network<F = unknown> {
  readonly name: string;
  create(scope: Scope): F;
}

/** The parameters of a network in the order of their declaration, and their places in the flat vector. */
export function parametersOf(network: Network): readonly Placed[] {
  const placed: Placed[] = [];
  let offset = 0;
  network.create({
    parameter(name, shape, init) {
      const size = sizeOf(shape);
      placed.push({ name, shape, init, offset, size });
      offset += size;
      return input(name, "float32", shape);
    },
  });
  return placed;
}

/** How many numbers a network learns: the length of its flat vector. */
export function parameterCount(network: Network): number {
  return parametersOf(network).reduce((count, { size }) => count + size, 0);
}

/**
 * A network whose parameters are views of one flat vector, float32 [parameterCount]. Because the vector is one value,
 * the optimizer works on it in a handful of nodes, and the gradient of its `Split` is the flat gradient.
 */
export function onFlatVector<F>(network: Network<F>, flat: Value): F {
  const parameters = parametersOf(network);
  return withScope(network.name, () => {
    const parts = split(
      flat,
      0,
      parameters.map(({ size }) => size),
    );
    const tensors = parameters.map(({ name, shape }, i) => [name, reshape(parts[i], shape)] as const);
    return withParameters(network, new Map(tensors));
  });
}

/** A network on given parameters, by name: constants when it is exported. Nodes are named below the network. */
export function withParameters<F>(network: Network<F>, parameters: ReadonlyMap<string, Value>): F {
  return network.create({
    parameter(name) {
      const value = parameters.get(name);
      if (!value) throw new Error(`${network.name} has no parameter ${name}`);
      return value;
    },
  });
}
