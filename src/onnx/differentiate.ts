import { GanOnnxError } from "../error.js";
import {
  type About,
  add,
  build,
  gradients,
  input,
  type Model,
  mul,
  nameOfInput,
  sum,
  type Value,
} from "../graph/index.js";
import { zerosLike } from "../graph/ops/shape.js";
import { isFloat } from "../graph/value.js";
import { type ReadModel, type ReadOptions, readModel } from "./read.js";

export interface DifferentiateOptions extends ReadOptions {
  /** Take gradients with respect to `parameters` (the default), `inputs`, `all`, or a list of names. */
  readonly withRespectTo?: "parameters" | "inputs" | "all" | readonly string[];
  /** The output to differentiate. The default is all floating-point outputs. */
  readonly of?: string;
}

/** A model that also computes gradients. */
export interface Differentiated {
  readonly model: Model;
  /** The names of the differentiated outputs. */
  readonly of: readonly string[];
  /** The inputs for the gradients of the outputs: `gradient/y` for each output y that is not a scalar. */
  readonly seeds: readonly string[];
  /** The names that have an output `gradient/NAME`. */
  readonly gradients: readonly string[];
  /** Those of them that the outputs do not depend on. Their gradients are zeros. */
  readonly unreached: readonly string[];
  readonly read: ReadModel;
}

/**
 * Add gradients to a model. It still computes its outputs. Each non-scalar output y gets an input `gradient/y` for its
 * gradient (1 for scalars). For each name, the output `gradient/NAME` is the gradient of Σ gradient/y · y.
 *
 * @throws {@link GanOnnxError} when the model cannot be read, a name is not in it, or nothing can be differentiated.
 */
export function differentiate(
  bytes: Uint8Array,
  producer: About["producer"],
  options: DifferentiateOptions = {},
): Differentiated {
  const read = readModel(bytes, options);
  const source = options.source ?? "model";
  const targets = targetsOf(read, options.withRespectTo ?? "parameters", source);
  const sources = sourcesOf(read, options.of, source);

  const seeds = new Map<string, Value>();
  const terms = sources.map(([name, y]): { y: Value; seed?: Value } => {
    if (y.shape.length === 0) return { y };
    const seed = input(`gradient/${name}`, y.dtype, y.shape, `the gradient that arrives at ${name}`);
    seeds.set(name, seed);
    return { y, seed };
  });
  const [{ y, seed }] = terms;
  const total =
    terms.length === 1
      ? y
      : terms.map(({ y, seed }) => (seed ? sum(mul(seed, y)) : y)).reduce((a, b) => add(a, b));

  const xs = [...targets.values()];
  const unreached = new Set<Value>();
  const found = gradients(total, xs, {
    seed: terms.length === 1 ? seed : undefined,
    unused: (x) => {
      unreached.add(x);
      return zerosLike(x);
    },
  });
  const results = [...targets.keys()].map((name, i): [string, Value] => [`gradient/${name}`, found[i]]);
  const learned = [...read.parameters.values(), ...read.statistics.values()].filter(
    ({ origin }) => origin.kind === "input",
  );
  const about = {
    name: read.name || "model",
    doc: `${read.doc}${read.doc ? "\n" : ""}With the gradients of ${sources.map(([name]) => name).join(", ")}.`,
    producer,
    metadata: read.metadata,
  };
  return {
    model: build(about, {
      inputs: [...read.inputs, ...learned, ...seeds.values()],
      outputs: new Map([...read.outputs, ...results]),
    }),
    of: sources.map(([name]) => name),
    seeds: [...seeds.values()].map(nameOfInput),
    gradients: [...targets.keys()],
    unreached: [...targets].filter(([, x]) => unreached.has(x)).map(([name]) => name),
    read,
  };
}

/** The values to take gradients of, by name. */
function targetsOf(
  { parameters, inputs, statistics }: ReadModel,
  selection: NonNullable<DifferentiateOptions["withRespectTo"]>,
  where: string,
): ReadonlyMap<string, Value> {
  const floats = new Map(inputs.filter(({ dtype }) => isFloat(dtype)).map((x) => [nameOfInput(x), x]));
  const all = new Map([...floats, ...parameters]);
  const chosen =
    typeof selection === "string" ? { parameters, inputs: floats, all }[selection] : new Map<string, Value>();
  const available = new Map([...all, ...statistics]);
  if (typeof selection !== "string") {
    for (const name of selection) {
      const x = available.get(name);
      if (!x)
        throw unknown(`has no parameter or input of floating point ${name}`, where, [...available.keys()]);
      (chosen as Map<string, Value>).set(name, x);
    }
  }
  if (chosen.size > 0) return chosen;
  throw unknown("has nothing to take gradients for", where, [...available.keys()]);
}

function sourcesOf({ outputs }: ReadModel, of: string | undefined, where: string): [string, Value][] {
  const floats = [...outputs].filter(([, { dtype }]) => isFloat(dtype));
  const chosen = floats.filter(([name]) => of === undefined || name === of);
  if (chosen.length > 0) return chosen;
  const what = of === undefined ? "has no output of floating point" : `has no output of floating point ${of}`;
  throw unknown(
    what,
    where,
    floats.map(([name]) => name),
  );
}

function unknown(what: string, where: string, names: readonly string[]): GanOnnxError {
  const listed = names.length > 12 ? [...names.slice(0, 12), "…"] : names;
  return new GanOnnxError({
    what,
    where,
    fix: listed.length === 0 ? "choose another model" : `name one of ${listed.join(", ")}`,
  });
}
