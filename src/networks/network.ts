import { GanOnnxError } from "../error.js";
import { input, reshape, sizeOf, split, type Value, withScope } from "../graph/index.js";

/** How a parameter starts. `uniform` draws from [-bound, bound). */
export type Initializer =
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "constant"; readonly value: number };

/** A tensor of a network, named as PyTorch would name it, e.g. `gen.0.weight`. */
export interface Declaration {
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Initializer;
}

/** A parameter and where it lies in its network's flat vector. */
export interface Parameter extends Declaration {
  readonly offset: number;
  readonly size: number;
}

/** A tensor that is not learnt but replaced by forward passes, such as a running mean. */
export interface Buffer {
  read(): Value;
  write(next: Value): void;
}

/** What a network is given to be made of. Layers ask it for their tensors when they are declared. */
export interface Scope {
  /** Whether layers behave as in training: batch normalisation uses the batch's own statistics, and records them. */
  readonly training: boolean;
  parameter(name: string, shape: readonly number[], init: Initializer): Value;
  buffer(name: string, shape: readonly number[], initial: number): Buffer;
  /** A tensor that follows from others when nothing learns any more: computed once, at export. */
  derived(name: string, compute: () => Value): Value;
}

/**
 * A network: a plain function over symbolic values, or several that share parameters. `create` declares the layers,
 * the functions it returns append nodes; calling them again uses the same parameters.
 */
export interface Network<F = unknown> {
  readonly name: string;
  create(scope: Scope): F;
}

/** What a network declares, in the order of declaration. */
export interface Declarations {
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly Declaration[];
  /** How many numbers it learns: the length of its flat vector. */
  readonly size: number;
}

/** The tensors that a network declares. */
export function declarationsOf(network: Network): Declarations {
  const parameters: Parameter[] = [];
  const buffers: Declaration[] = [];
  let offset = 0;
  network.create({
    training: true,
    parameter(name, shape, init) {
      const size = sizeOf(shape);
      parameters.push({ name, shape, init, offset, size });
      offset += size;
      return input(name, "float32", shape);
    },
    buffer(name, shape, value) {
      buffers.push({ name, shape, init: { kind: "constant", value } });
      return { read: () => input(name, "float32", shape), write() {} };
    },
    derived: (_, compute) => compute(),
  });
  return { parameters, buffers, size: offset };
}

/** A network ready to be called: its functions, and its buffers as the calls so far have left them. */
export interface Bound<F> {
  readonly forward: F;
  readonly buffers: ReadonlyMap<string, Value>;
}

/**
 * A network whose parameters are views of one flat vector, float32 [size]. Because the vector is one value, the
 * optimizer works on it in a handful of nodes, and the gradient of its `Split` is the flat gradient.
 */
export function onFlatVector<F>(
  network: Network<F>,
  flat: Value,
  { training, buffers }: { training: boolean; buffers: ReadonlyMap<string, Value> },
): Bound<F> {
  const { parameters } = declarationsOf(network);
  const tensors = withScope(network.name, () => {
    const sizes = parameters.map(({ size }) => size);
    const parts = split(flat, 0, sizes);
    return parameters.map(({ name, shape }, i) => [name, reshape(parts[i], shape)] as const);
  });
  return bind(network, new Map(tensors), { training, buffers, derived: (_, compute) => compute() });
}

/** A network on given parameters and buffers, by name. Throws naming one that is missing. */
export function bind<F>(
  network: Network<F>,
  parameters: ReadonlyMap<string, Value>,
  {
    training,
    buffers,
    derived,
  }: Pick<Scope, "training" | "derived"> & { buffers: ReadonlyMap<string, Value> },
): Bound<F> {
  const current = new Map(buffers);
  const forward = network.create({
    training,
    parameter: (name) => present(network, name, parameters),
    buffer: (name) => ({
      read: () => present(network, name, current),
      write: (next) => current.set(name, next),
    }),
    derived,
  });
  return { forward, buffers: current };
}

function present(network: Network, name: string, tensors: ReadonlyMap<string, Value>): Value {
  const value = tensors.get(name);
  if (value) return value;
  throw new GanOnnxError({
    what: `has no tensor ${name}`,
    where: network.name,
    fix: "pass every declared tensor",
  });
}
