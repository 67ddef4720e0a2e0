import type { Dim } from "../graph/dims.js";
import { constant, input, type Value, withScope } from "../graph/index.js";
import { nameNode } from "../graph/operator.js";
import type { Tensor } from "../tensors/tensor.js";
import { callOf, nodeError } from "./call.js";
import { withContent } from "./content.js";
import { decodeModel } from "./decode.js";
import { fold } from "./fold.js";
import { openInputs } from "./interface.js";
import type { FileGraph, FileModel, FileNode, Opsets } from "./message.js";
import { type Operators, operators } from "./operators/index.js";
import { isParameter, statisticsOf } from "./parameters.js";
import type { ExternalData } from "./tensors-in.js";

/** How a model is read. */
export interface ReadOptions {
  /** What messages call it: the path of its file. */
  readonly source?: string;
  /** The bytes of files in which weights are kept beside the model: `readModelFile` knows them. */
  readonly externalData?: ExternalData;
  /** What parameters are in the graph: constants with their values (`inside`, the default), or inputs of it. */
  readonly parameters?: "inside" | "inputs";
  /** Whether batch normalisation works as in training: on the statistics of the batch, which it records. */
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
  /** The running statistics of batch normalisation, by their names. */
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
  const values: Environment = new Map([["", undefined]]);
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
        : constant(read.dtype, read.shape, read.data, name);
    values.set(name, value);
    if (learnt) parameters.set(name, value);
    if (statistics.has(name)) kept.set(name, value);
    if (learnt || statistics.has(name)) tensors.set(name, read);
  }
  const inputs = openInputs(graph, { source, dimensions });
  for (const value of inputs) values.set(nameOf(value), given.get(nameOf(value)) ?? value);
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
  trace(graph.nodes, values, model.opsets);
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

/** Values by their names in the file. */
type Environment = Map<string, Value | undefined>;

interface Reading {
  readonly model: FileModel;
  readonly source: string;
  readonly training: boolean;
  note(text: string): void;
  record(statistic: Value, next: Value): void;
}

/** What reads nodes one after the other into an environment. */
function tracer(reading: Reading) {
  const { source, model } = reading;

  function trace(nodes: readonly FileNode[], values: Environment, opsets: Opsets): void {
    nodes.forEach((node, i) => {
      const opset = opsets.get(node.domain) ?? (node.domain === "" ? 1 : 0);
      const name = node.name || `number ${i + 1}`;
      const title = node.domain === "" ? node.type : `${node.domain}.${node.type}`;
      const where = `${source}: node ${name} (${title}, opset ${opset})`;
      try {
        const outputs = read(node, values, opset, where);
        node.outputs.forEach((output, i) => {
          if (output !== "" && outputs[i]) values.set(output, outputs[i]);
        });
      } catch (cause) {
        throw nodeError(where, cause);
      }
    });
  }

  function read(node: FileNode, values: Environment, opset: number, where: string): readonly Value[] {
    const inputs = node.inputs.map((name) => {
      if (values.has(name)) return values.get(name);
      throw new Error(
        `it reads ${name}, which nothing before it makes: nodes are missing or run in a circle`,
      );
    });
    const rule = ruleOf(node, model);
    const call = callOf(node, inputs, {
      ...reading,
      opset,
      where,
      run: (graph: FileGraph) => subgraph(graph, values),
    });
    const scope = node.name.replace(/^\/+/, "");
    const result = withScope(scope, () => rule(call));
    const outputs = Array.isArray(result) ? (result as readonly Value[]) : [result as Value];
    const followed = outputs.map((output, i) => {
      const content = i === 0 ? fold(call, output) : undefined;
      return content ? withContent(output, content) : output;
    });
    if (node.name !== "" && followed[0] && scopeOf(followed[0]) === scope) nameNode(followed[0], node.name);
    return followed;
  }

  /** A graph inside a node sees the values around it. */
  function subgraph(graph: FileGraph, around: Environment): readonly Value[] {
    const values: Environment = new Map(around);
    for (const [name, tensor] of graph.initializers) {
      const { dtype, shape, data } = tensor.read();
      values.set(name, constant(dtype, shape, data, name));
    }
    trace(graph.nodes, values, model.opsets);
    return graph.outputs.map(({ name }) => values.get(name) as Value);
  }

  return trace;
}

function scopeOf({ origin }: Value): string | undefined {
  return origin.kind === "node" ? origin.node.scope : undefined;
}

function ruleOf({ type, domain }: FileNode, _model: FileModel): Operators[string] {
  const rule = domain === "" && Object.hasOwn(operators, type) ? operators[type] : undefined;
  if (rule) return rule;
  throw new Error("is not supported");
}

export type { Dim };
