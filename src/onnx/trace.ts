import { GanOnnxError } from "../error.js";
import { constant, formatShape, type Value, withScope } from "../graph/index.js";
import { nameNode } from "../graph/operator.js";
import { sizeOf } from "../tensors/tensor.js";
import { callOf, nodeError } from "./call.js";
import { withContent } from "./content.js";
import { checkDeclared } from "./declared.js";
import { fold } from "./fold.js";
import { withAttributes } from "./functions.js";
import type { FileFunction, FileGraph, FileModel, FileNode, FileType, Opsets } from "./message.js";
import { operators } from "./operators/index.js";

/** Values by their names in the file. */
export type Environment = Pick<Map<string, Value | undefined>, "get" | "has" | "set">;

/** A scope with its own names. Outer names are not copied: a model may have thousands of subgraphs. */
function within(outer: Environment): Environment {
  const own = new Map<string, Value | undefined>();
  return {
    get: (name) => (own.has(name) ? own : outer).get(name),
    has: (name) => own.has(name) || outer.has(name),
    set: (name, value) => own.set(name, value),
  };
}

interface Reading {
  readonly model: FileModel;
  readonly source: string;
  readonly training: boolean;
  /** The types that the file declares, by the names of values. Nothing is declared for values with other inputs. */
  readonly declared: ReadonlyMap<string, FileType>;
  note(text: string): void;
  record(statistic: Value, next: Value): void;
}

/** The maximum number of nodes. Functions that call functions can multiply nodes without limit. */
const MOST_NODES = 300_000;
const DEEPEST = 100;

/** The scope of nodes: the model's graph, a subgraph, or a function. */
interface Place {
  readonly values: Environment;
  readonly opsets: Opsets;
  /** The enclosing functions, the innermost last. */
  readonly inside: readonly FileFunction[];
}

/** Makes a function that reads nodes in order into an environment. */
export function tracer(reading: Reading) {
  const { source, model, declared } = reading;
  let count = 0;

  function trace(nodes: readonly FileNode[], place: Place): void {
    const { values, opsets } = place;
    nodes.forEach((node, i) => {
      const opset = opsets.get(node.domain) ?? (node.domain === "" ? 1 : 0);
      const name = node.name || `number ${i + 1}`;
      const title = node.domain === "" ? node.type : `${node.domain}.${node.type}`;
      const where = `${source}: node ${name} (${title}, opset ${opset})`;
      try {
        if (++count > MOST_NODES) throw new Error(`the model has more than ${MOST_NODES} nodes`);
        const outputs = read(node, place, opset, where);
        node.outputs.forEach((output, i) => {
          if (output === "" || !outputs[i]) return;
          if (place.inside.length === 0) checkDeclared(output, outputs[i], declared.get(output));
          values.set(output, outputs[i]);
        });
      } catch (cause) {
        throw nodeError(where, cause);
      }
    });
  }

  function read(node: FileNode, place: Place, opset: number, where: string): readonly Value[] {
    const { values } = place;
    const inputs = node.inputs.map((name) => {
      if (name === "" || values.has(name)) return values.get(name);
      throw new Error(
        `it reads ${name}, which no node before it makes: nodes are missing or run in a circle`,
      );
    });
    const scope = node.name.replace(/^\/+/, "");
    const called = model.functions.get(`${node.domain}:${node.type}`);
    if (called) return withScope(scope, () => callFunction(called, node, inputs, place));
    const rule = node.domain === "" && Object.hasOwn(operators, node.type) ? operators[node.type] : undefined;
    if (!rule) throw unsupported(node, where);
    const call = callOf(node, inputs, {
      ...reading,
      opset,
      where,
      run: (graph: FileGraph) => subgraph(graph, place),
    });
    const result = withScope(scope, () => rule(call));
    const [first, ...others] = Array.isArray(result) ? (result as readonly Value[]) : [result as Value];
    if (!first) return [];
    checkSize(first);
    const content = fold(call, first);
    const followed = content ? withContent(first, content) : first;
    const { origin } = followed;
    // A value that is only passed through keeps its own name.
    const own = origin.kind === "node" && !inputs.includes(followed);
    if (node.name !== "" && own && place.inside.length === 0) nameNode(followed, node.name);
    return [followed, ...others];
  }

  /** Inline a function that the model defines. */
  function callFunction(
    called: FileFunction,
    node: FileNode,
    inputs: readonly (Value | undefined)[],
    { inside }: Place,
  ): readonly Value[] {
    if (inside.includes(called) || inside.length > DEEPEST) throw new Error("the function calls itself");
    const given = new Map([...called.defaults, ...node.attributes]);
    const values: Environment = new Map(called.inputs.map((name, i) => [name, inputs[i]]));
    const nodes = called.nodes.map((inner) => withAttributes(inner, given));
    trace(nodes, { values, opsets: called.opsets, inside: [...inside, called] });
    return outputsOf(called.outputs, values);
  }

  /** Read a subgraph. It can use the values around it. */
  function subgraph(graph: FileGraph, place: Place): readonly Value[] {
    const values = within(place.values);
    for (const [name, tensor] of graph.initializers) {
      const { dtype, shape, data } = tensor.read();
      values.set(name, constant(dtype, shape, data, name));
    }
    trace(graph.nodes, { ...place, values });
    return outputsOf(
      graph.outputs.map(({ name }) => name),
      values,
    );
  }

  return trace;
}

/** The maximum number of elements. Larger tensors do not fit in memory, and sizes in a file are not trusted. */
const MOST_ELEMENTS = 2 ** 32;

function checkSize({ shape }: Value): void {
  const numbers = shape.filter((dim) => typeof dim === "number");
  const whole = numbers.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
  if (!whole || sizeOf(numbers) > MOST_ELEMENTS || shape.length > 64)
    throw new Error(`its output of shape ${formatShape(shape)} is too large`);
}

const QUANTISED = /Quantize|^QLinear|Integer$/;

/** The error of an unsupported operator, with the reason and what helps. */
function unsupported({ type, domain }: FileNode, where: string): GanOnnxError {
  const docs = "see docs/own-networks.md on what to do";
  if (domain !== "")
    return new GanOnnxError({ what: `operators of ${domain} are not supported`, where, fix: docs });
  if (QUANTISED.test(type))
    return new GanOnnxError({
      what: "quantised operators have no gradient and are not supported",
      where,
      fix: "export the model before it is quantised",
    });
  return new GanOnnxError({ what: "the operator is not supported", where, fix: docs });
}

function outputsOf(names: readonly string[], values: Environment): readonly Value[] {
  return names.map((name) => {
    const value = values.get(name);
    if (value) return value;
    throw new Error(`no node makes the output ${name}`);
  });
}
