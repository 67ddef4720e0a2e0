import { constant, input, type Value } from "../graph/index.js";
import type { Tensor } from "../tensors/tensor.js";
import { nodeError } from "./call.js";
import { decodeModel } from "./decode.js";
import { openInputs } from "./interface.js";
import type { FileModel, Opsets } from "./message.js";
import { isParameter, statisticsOf } from "./parameters.js";
import { type ExternalData, nameOfElementType } from "./tensors-in.js";
import { type Environment, tracer } from "./trace.js";

const HALF = /^b?float16$/;

/** Constants of so few elements are no weights, and need no name. */
const FEW = 16;

/** How a model is read. */
export interface ReadOptions {
  /** What messages call it: the path of its file. */
  readonly source?: string;
  /** The bytes of files in which weights are kept beside the model: `readModelFile` knows them. */
  readonly externalData?: ExternalData;
  /** What parameters are in the graph: constants with their values (`inside`, the default), or inputs of it. */
  readonly parameters?: "inside" | "inputs";
  /** Whether batch normalization works as in training: on the statistics of the batch, which it records. */
  readonly training?: boolean;
  /** Values that take the place of inputs, parameters and statistics, by their names. */
  readonly given?: ReadonlyMap<string, Value>;
  /** Numbers for symbolic dimensions, by their names. */
  readonly dimensions?: Readonly<Record<string, number>>;
}

/** A model as values to go on with: add a loss, take gradients, `build` it again. */
export interface ReadModel {
  /** Its inputs, in the order of the file. */
  readonly inputs: readonly Value[];
  /** What it learns: initializers of floats, by their names in the file. */
  readonly parameters: ReadonlyMap<string, Value>;
  /** The running statistics of batch normalization, by their names. */
  readonly statistics: ReadonlyMap<string, Value>;
  /** What the statistics become in a step of training; as they were without `training`. */
  readonly nextStatistics: ReadonlyMap<string, Value>;
  /** The elements of parameters and statistics in the file. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Value>;
  readonly name: string;
  readonly doc: string;
  readonly producer: { readonly name: string; readonly version: string };
  readonly metadata: Readonly<Record<string, string>>;
  readonly opsets: Opsets;
  /** What a user should know of how it was read, a line each. */
  readonly notes: readonly string[];
}

/**
 * The graph of an ONNX file as values: https://onnx.ai/onnx/intro/concepts.html. Opsets 9 to 26; weights of float16 and
 * bfloat16 become float32, functions are inlined, shapes that are computed are folded as far as sizes are known.
 *
 * @throws GanOnnxError naming node, operator and opset when the bytes are no model or hold what cannot be read.
 */
export function readModel(bytes: Uint8Array, options: ReadOptions = {}): ReadModel {
  const { source = "model", externalData } = options;
  return traceModel(decodeModel(bytes, { name: source, externalData }), options);
}

/** The values of a decoded model. */
export function traceModel(model: FileModel, options: ReadOptions = {}): ReadModel {
  const { graph } = model;
  const { source = "model", parameters: form = "inside", training = false, dimensions = {} } = options;
  const { given = new Map<string, Value>() } = options;
  const statistics = statisticsOf(model);
  const notes = new Set<string>();
  const values: Environment = new Map();
  const [parameters, kept] = [new Map<string, Value>(), new Map<string, Value>()];
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of graph.initializers) {
    const stand = given.get(name);
    if (stand) {
      values.set(name, stand);
      (statistics.has(name) ? kept : parameters).set(name, stand);
      continue;
    }
    const read = tensor.read();
    const learnt = isParameter(read, name) && !statistics.has(name);
    const value =
      form === "inputs" && (learnt || statistics.has(name))
        ? input(name, read.dtype, read.shape)
        : constant(
            read.dtype,
            read.shape,
            read.data,
            learnt || statistics.has(name) || read.data.length > FEW ? name : undefined,
          );
    values.set(name, value);
    if (learnt) parameters.set(name, value);
    if (statistics.has(name)) kept.set(name, value);
    if (learnt || statistics.has(name)) tensors.set(name, read);
  }
  const inputs = openInputs(graph, { source, dimensions });
  for (const value of inputs) values.set(nameOf(value), given.get(nameOf(value)) ?? value);
  for (const { name, type } of graph.inputs) {
    const element = nameOfElementType(type?.elementType ?? 1);
    if (HALF.test(element)) notes.add(`input ${name} is ${element}, and float32 here`);
  }
  const nextStatistics = new Map(kept);
  const trace = tracer({
    model,
    source,
    training,
    note: (text) => notes.add(text),
    record: (statistic, next) => {
      for (const [name, value] of kept) if (value === statistic) nextStatistics.set(name, next);
    },
  });
  trace(graph.nodes, { values, opsets: model.opsets, inside: [] });
  const outputs = graph.outputs.map(({ name }): [string, Value] => {
    const value = values.get(name);
    if (!value) throw nodeError(`${source}: output ${name}`, new Error("no node makes it"));
    return [name, value];
  });
  return {
    inputs,
    parameters,
    statistics: kept,
    nextStatistics,
    tensors,
    outputs: new Map(outputs),
    name: graph.name,
    doc: model.doc,
    producer: model.producer,
    metadata: model.metadata,
    opsets: model.opsets,
    notes: [...notes],
  };
}

function nameOf({ origin }: Value): string {
  return origin.kind === "input" ? origin.name : "";
}
