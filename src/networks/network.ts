import { GanOnnxError } from "../error.js";
import { concat, input, reshape, split, type Value, withScope } from "../graph/index.js";
import { sizeOf } from "../tensors/tensor.js";

/** The initialization of a parameter. `uniform` draws from [-bound, bound); `given` is the value in a file. */
export type Initializer =
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "given"; readonly values: Float32Array };

/** A tensor of a network. It is named as in PyTorch, e.g. `gen.0.weight`. */
export interface Declaration {
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Initializer;
}

/** A parameter and its position in the network's flat vector. */
export interface Parameter extends Declaration {
  readonly offset: number;
  readonly size: number;
  /** Whether training leaves it unchanged. */
  readonly frozen: boolean;
}

/** A tensor that is not learned: forward passes replace it, e.g. a running mean. */
export interface Buffer {
  read(): Value;
  write(next: Value): void;
}

/** The environment in which a network is created. Layers declare their tensors here. */
export interface Scope {
  /** Whether layers work in training mode: batch normalization uses the statistics of the batch, and records them. */
  readonly training: boolean;
  /** The momentum of running statistics, as the share of a batch. The default is the layer's own. */
  readonly momentum?: number;
  parameter(name: string, shape: readonly number[], init: Initializer): Value;
  buffer(name: string, shape: readonly number[], init: Initializer): Buffer;
  /**
   * A tensor that is computed from parameters and buffers. It is computed once, at export, when they no longer change.
   */
  derived(name: string, compute: () => Value): Value;
}

/** The scope of a part of a network: a prefix of all names. */
export function within(scope: Scope, part: string): Scope {
  return {
    ...scope,
    parameter: (name, shape, init) => scope.parameter(`${part}.${name}`, shape, init),
    buffer: (name, shape, init) => scope.buffer(`${part}.${name}`, shape, init),
    derived: (name, compute) => scope.derived(`${part}.${name}`, compute),
  };
}

/**
 * A network: one function over symbolic values, or several that share parameters. `create` declares the layers. The
 * functions that it returns append nodes; all calls use the same parameters.
 */
export interface Network<F = unknown> {
  readonly name: string;
  /** Whether a parameter is frozen in training. By default none is. */
  readonly isFrozen?: (parameter: string) => boolean;
  create(scope: Scope): F;
}

/** The tensors of a network, in order of declaration. */
export interface Declarations {
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly Declaration[];
  /** The total number of parameter elements: the length of the flat vector. */
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
      parameters.push({ name, shape, init, offset, size, frozen: network.isFrozen?.(name) ?? false });
      offset += size;
      return input(name, "float32", shape);
    },
    buffer(name, shape, init) {
      buffers.push({ name, shape, init });
      return { read: () => input(name, "float32", shape), write() {} };
    },
    derived: (_, compute) => compute(),
  });
  return { parameters, buffers, size: offset };
}

/** A network with values for its parameters: its functions, and its buffers after all calls so far. */
export interface Bound<F> {
  readonly forward: F;
  readonly buffers: ReadonlyMap<string, Value>;
}

/** What a network needs besides its parameters: see {@link Scope}. */
type Surroundings = Pick<Scope, "training" | "momentum"> & { readonly buffers: ReadonlyMap<string, Value> };

/** A network whose parameters are parts of one flat vector, float32 [size]. */
export function onFlatVector<F>(network: Network<F>, flat: Value, given: Surroundings): Bound<F> {
  const tensors = tensorsIn(network.name, declarationsOf(network).parameters, flat);
  return bind(network, tensors, { ...given, derived: (_, compute) => compute() });
}

/** Some parameters of a network as one value: a single parameter with its shape, or several as a vector. */
export interface Piece {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Whether its parameters are frozen: either all or none. */
  readonly frozen: boolean;
}

/** Parameters with at least this size are separate pieces. Step time is equal for limits from 4,096 to 25,000. */
const LARGE = 2 ** 14;

/**
 * The parameters of a network as used in a training step: each large parameter is a piece, the others form one piece,
 * and frozen parameters are in separate pieces. So a large parameter is not copied out of a vector, and its gradient is
 * not copied into one. The optimizer updates the many small parameters in one operation.
 */
export function piecesOf(network: Network): readonly Piece[] {
  const { parameters } = declarationsOf(network);
  const large = parameters.filter(({ size }) => size >= LARGE);
  const small = (wanted: boolean) =>
    parameters.filter(({ size, frozen }) => size < LARGE && frozen === wanted);
  return [
    ...large.map((parameter) => ({
      name: parameter.name,
      parameters: [parameter],
      frozen: parameter.frozen,
    })),
    { name: "others", parameters: small(false), frozen: false },
    { name: "frozen", parameters: small(true), frozen: true },
  ].filter(({ parameters }) => parameters.length > 0);
}

/** Cut a flat vector into the values of {@link piecesOf}, in that order. */
export function cut(network: Network, flat: Value): readonly Value[] {
  const tensors = tensorsIn(network.name, declarationsOf(network).parameters, flat);
  return piecesOf(network).map(({ parameters: [first, ...more] }) =>
    more.length === 0 ? present(network, first.name, tensors) : vectorOf(network, [first, ...more], tensors),
  );
}

/** Join pieces to the flat vector of a network: the inverse of {@link cut}. */
export function joined(network: Network, pieces: readonly Value[]): Value {
  return vectorOf(network, declarationsOf(network).parameters, tensorsOf(network, pieces));
}

/** A network whose parameters are in pieces. The gradient of a piece has the shape of the piece. */
export function onPieces<F>(network: Network<F>, pieces: readonly Value[], given: Surroundings): Bound<F> {
  return bind(network, tensorsOf(network, pieces), { ...given, derived: (_, compute) => compute() });
}

function tensorsOf(network: Network, pieces: readonly Value[]): ReadonlyMap<string, Value> {
  const parts = piecesOf(network).map(({ parameters }, i) => tensorsIn(network.name, parameters, pieces[i]));
  return new Map(parts.flatMap((part) => [...part]));
}

/** Parameters that are stored one after the other in a value. */
function tensorsIn(scope: string, parameters: readonly Parameter[], value: Value): Map<string, Value> {
  return withScope(scope, () => {
    const sizes = parameters.map(({ size }) => size);
    const parts = parameters.length === 1 ? [value] : split(value, 0, sizes);
    return new Map(parameters.map(({ name, shape }, i) => [name, reshape(parts[i], shape)]));
  });
}

/** Concatenate parameters. */
function vectorOf(
  network: Network,
  parameters: readonly Parameter[],
  tensors: ReadonlyMap<string, Value>,
): Value {
  return withScope(network.name, () =>
    concat(
      parameters.map(({ name, size }) => reshape(present(network, name, tensors), [size])),
      0,
    ),
  );
}

/**
 * A network with given parameters and buffers, by name.
 *
 * @throws {@link GanOnnxError} when one is missing.
 */
export function bind<F>(
  network: Network<F>,
  parameters: ReadonlyMap<string, Value>,
  {
    training,
    momentum,
    buffers,
    derived,
  }: Pick<Scope, "training" | "momentum" | "derived"> & { buffers: ReadonlyMap<string, Value> },
): Bound<F> {
  const current = new Map(buffers);
  const forward = network.create({
    training,
    momentum,
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
