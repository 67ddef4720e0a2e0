import { constant, input, type Value } from "../graph/index.js";
import type { Tensor } from "../tensors/tensor.js";
import { nodeError } from "./call.js";
import { decodeModel } from "./decode.js";
import { openInputs } from "./interface.js";
import type { FileGraph, FileModel, FileType, Opsets } from "./message.js";
import { isParameter, statisticsOf } from "./parameters.js";
import { type ExternalData, nameOfElementType } from "./tensors-in.js";
import { type Environment, tracer } from "./trace.js";

const HALF = /^b?float16$/;

/** Constants with at most this many elements are not weights and need no name. */
const FEW = 16;

/** Options for reading a model. */
export interface ReadOptions {
  /** The name for messages: the path of the file. */
  readonly source?: string;
  /** Reads the external files that contain weights. `readModelFile` provides it. */
  readonly externalData?: ExternalData;
  /** Parameters are constants with their values (`inside`, the default), or inputs of the graph. */
  readonly parameters?: "inside" | "inputs";
  /** Whether batch normalization works in training mode: it uses the statistics of the batch and records them. */
  readonly training?: boolean;
  /** Values that replace inputs, parameters and statistics, by name. */
  readonly given?: ReadonlyMap<string, Value>;
  /** Numbers for symbolic dimensions, by name. */
  readonly dimensions?: Readonly<Record<string, number>>;
}

/** A model as values. Use them to add a loss, take gradients or `build` a new model. */
export interface ReadModel {
  /** The inputs, in the order of the file. */
  readonly inputs: readonly Value[];
  /** The parameters: float initializers, by their names in the file. */
  readonly parameters: ReadonlyMap<string, Value>;
  /** The running statistics of batch normalization, by name. */
  readonly statistics: ReadonlyMap<string, Value>;
  /** The statistics after a training step. Without `training` they are unchanged. */
  readonly nextStatistics: ReadonlyMap<string, Value>;
  /** The numbers of parameters and statistics in the file. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Value>;
  readonly name: string;
  readonly doc: string;
  readonly producer: { readonly name: string; readonly version: string };
  readonly metadata: Readonly<Record<string, string>>;
  readonly opsets: Opsets;
  /** Notes for the user about how the model was read, one line each. */
  readonly notes: readonly string[];
}

/**
 * Read an ONNX model as values: https://onnx.ai/onnx/intro/concepts.html. Opsets 7 to 26 are supported. Weights of
 * float16 and bfloat16 become float32, functions are inlined, and computed shapes are folded as far as sizes are known.
 *
 * @throws {@link GanOnnxError} when the bytes are not a model, or contain something that is not supported. The message
 * names node, operator and opset.
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
    const learned = isParameter(read, name) && !statistics.has(name);
    const value =
      form === "inputs" && (learned || statistics.has(name))
        ? input(name, read.dtype, read.shape)
        : constant(
            read.dtype,
            read.shape,
            read.data,
            learned || statistics.has(name) || read.data.length > FEW ? name : undefined,
          );
    values.set(name, value);
    if (learned) parameters.set(name, value);
    if (statistics.has(name)) kept.set(name, value);
    if (learned || statistics.has(name)) tensors.set(name, read);
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
    declared: given.size > 0 ? new Map() : declaredIn(graph),
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

/** The types that a graph declares for what it computes. */
function declaredIn({ types, outputs }: FileGraph): ReadonlyMap<string, FileType> {
  const ofOutputs = outputs.flatMap(({ name, type }): [string, FileType][] => (type ? [[name, type]] : []));
  return new Map([...types, ...ofOutputs]);
}

function nameOf({ origin }: Value): string {
  return origin.kind === "input" ? origin.name : "";
}
