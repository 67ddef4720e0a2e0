import { GanOnnxError } from "../error.js";
import { concat, input, reshape, split, type Value, withScope } from "../graph/index.js";
import { sizeOf } from "../tensors/tensor.js";

/** How a parameter starts. `uniform` draws from [-bound, bound); `given` is what a file has. */
export type Initializer =
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "given"; readonly values: Float32Array };

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
  /** Whether no update changes it. */
  readonly frozen: boolean;
}

/** A tensor that is not learnt but replaced by forward passes, such as a running mean. */
export interface Buffer {
  read(): Value;
  write(next: Value): void;
}

/** What a network is given to be made of. Layers ask it for their tensors when they are declared. */
export interface Scope {
  /** Whether layers behave as in training: batch normalization uses the batch's own statistics, and records them. */
  readonly training: boolean;
  parameter(name: string, shape: readonly number[], init: Initializer): Value;
  buffer(name: string, shape: readonly number[], init: Initializer): Buffer;
  /** A tensor that follows from others when nothing learns any more: computed once, at export. */
  derived(name: string, compute: () => Value): Value;
}

/**
 * A network: a plain function over symbolic values, or several that share parameters. `create` declares the layers,
 * the functions it returns append nodes; calling them again uses the same parameters.
 */
export interface Network<F = unknown> {
  readonly name: string;
  /** Whether a parameter keeps its value in training; none does unless this says so. */
  readonly isFrozen?: (parameter: string) => boolean;
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

/** A network ready to be called: its functions, and its buffers as the calls so far have left them. */
export interface Bound<F> {
  readonly forward: F;
  readonly buffers: ReadonlyMap<string, Value>;
}

/** What a network needs besides its parameters to be called: see {@link Scope}. */
type Surroundings = { readonly training: boolean; readonly buffers: ReadonlyMap<string, Value> };

/** A network whose parameters lie in one flat vector, float32 [size]. */
export function onFlatVector<F>(network: Network<F>, flat: Value, given: Surroundings): Bound<F> {
  const tensors = tensorsIn(network.name, declarationsOf(network).parameters, flat);
  return bind(network, tensors, { ...given, derived: (_, compute) => compute() });
}

/** Some parameters of a network as one value: one parameter as it is, or several as a vector. */
export interface Piece {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Whether its parameters keep their values: all do, or none. */
  readonly frozen: boolean;
}

/** Parameters from this size on are pieces of their own. Not very critical: from 4,096 to 25,000 steps take as long. */
const LARGE = 2 ** 14;

/**
 * A network's parameters as a training step works on them: the large ones each on its own, the others together, the
 * frozen ones apart. A large one is neither copied out of a vector before it is used nor its gradient into one, and
 * what the optimizer does to the many small ones is done at once.
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

/** The values of {@link piecesOf} a network, in that order, cut from a flat vector. */
export function cut(network: Network, flat: Value): readonly Value[] {
  const tensors = tensorsIn(network.name, declarationsOf(network).parameters, flat);
  return piecesOf(network).map(({ parameters: [first, ...more] }) =>
    more.length === 0 ? present(network, first.name, tensors) : vectorOf(network, [first, ...more], tensors),
  );
}

/** The flat vector of a network from its pieces: undoes {@link cut}. */
export function joined(network: Network, pieces: readonly Value[]): Value {
  return vectorOf(network, declarationsOf(network).parameters, tensorsOf(network, pieces));
}

/** A network whose parameters lie in pieces. The gradient of a piece comes in its shape. */
export function onPieces<F>(network: Network<F>, pieces: readonly Value[], given: Surroundings): Bound<F> {
  return bind(network, tensorsOf(network, pieces), { ...given, derived: (_, compute) => compute() });
}

function tensorsOf(network: Network, pieces: readonly Value[]): ReadonlyMap<string, Value> {
  const parts = piecesOf(network).map(({ parameters }, i) => tensorsIn(network.name, parameters, pieces[i]));
  return new Map(parts.flatMap((part) => [...part]));
}

/** Parameters that lie one after the other in a value. */
function tensorsIn(scope: string, parameters: readonly Parameter[], value: Value): Map<string, Value> {
  return withScope(scope, () => {
    const sizes = parameters.map(({ size }) => size);
    const parts = parameters.length === 1 ? [value] : split(value, 0, sizes);
    return new Map(parameters.map(({ name, shape }, i) => [name, reshape(parts[i], shape)]));
  });
}

/** Parameters one after the other. */
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
