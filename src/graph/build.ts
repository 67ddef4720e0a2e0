import { GanOnnxError } from "../error.js";
import type { NamedTensor, Tensor } from "../tensors/tensor.js";
import { lowered } from "./lower.js";
import { Names } from "./names.js";
import { exact, shortNumber } from "./numbers.js";
import { dependencies } from "./operator.js";
import { nodesBehind } from "./paths.js";
import type { AttributeKind, Body, Node, Value, ValueType } from "./value.js";

/** A graph in which everything has a name, with the structure of ONNX's GraphProto. */
export interface NamedGraph {
  readonly name: string;
  readonly inputs: readonly NamedValue[];
  readonly outputs: readonly NamedValue[];
  readonly initializers: readonly NamedTensor[];
  readonly nodes: readonly NamedNode[];
  /** The types of the values between inputs and outputs. */
  readonly values: readonly NamedValue[];
}

export interface NamedValue extends ValueType {
  readonly name: string;
  readonly doc?: string;
}

export interface NamedNode {
  readonly name: string;
  readonly type: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly {
    readonly name: string;
    readonly kind: AttributeKind;
    readonly value: unknown;
  }[];
  /** The graphs that it runs, by the names of its attributes. */
  readonly bodies?: Readonly<Record<string, NamedGraph>>;
}

/** The description of a model. Netron shows it; `sample` and the web page read it. */
export interface About {
  readonly name: string;
  readonly doc: string;
  readonly producer: { readonly name: string; readonly version: string };
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface Model extends About {
  readonly graph: NamedGraph;
}

/**
 * Build a model from everything that the outputs depend on, and name it. Inputs keep their names. Outputs are named by
 * their keys, in order; a map keeps the order of any keys. Nodes are named after the scope in which they were created.
 *
 * @throws {@link GanOnnxError} when an output depends on an input that is not listed, or inputs and outputs share a
 * name.
 */
export function build(
  about: About,
  {
    inputs,
    outputs,
  }: {
    readonly inputs: readonly Value[];
    readonly outputs: Readonly<Record<string, Value>> | ReadonlyMap<string, Value>;
  },
): Model {
  const taken = new Set(inputs.map(nameOfInput));
  const named = outputs instanceof Map ? new Map(outputs) : new Map(Object.entries(outputs));
  for (const name of named.keys()) {
    if (taken.has(name)) {
      throw new GanOnnxError({
        what: `an input and an output are named ${name}`,
        where: "build",
        fix: "rename one",
      });
    }
    taken.add(name);
  }
  const names = new Names(taken);
  const graph = new GraphBuilder(about.name, names, undefined);
  const values = lowered([...named.values()]);
  for (const value of [...values, ...nodesBehind(values).flatMap(dependencies)]) {
    if (value.origin.kind === "constant" && value.origin.name) names.reserve(value, value.origin.name);
  }
  return {
    ...about,
    graph: graph.build(
      inputs,
      [...named.keys()].map((name, i) => [name, values[i]]),
    ),
  };
}

/**
 * The name of a graph input.
 *
 * @throws {@link GanOnnxError} when the value is not a graph input.
 */
export function nameOfInput(value: Value): string {
  if (value.origin.kind === "input") return value.origin.name;
  throw new GanOnnxError({
    what: "a value is listed that is no input",
    where: "build",
    fix: "list values of input()",
  });
}

/** Owns one graph while its values get names. A loop's body is a graph inside another graph and can use its names. */
class GraphBuilder {
  private readonly named = new Map<Value, string>();
  private readonly inputNames = new Set<string>();
  private readonly constants = new Map<string, string>();
  private readonly written = new Map<string, readonly string[]>();
  private readonly initializers: NamedTensor[] = [];
  private readonly nodes: NamedNode[] = [];
  private readonly values: NamedValue[] = [];
  /** The values that nodes or outputs read. */
  private read: ReadonlySet<Value> = new Set();

  constructor(
    private readonly name: string,
    private readonly names: Names,
    private readonly outer: GraphBuilder | undefined,
  ) {}

  build(inputs: readonly Value[], outputs: readonly (readonly [name: string, value: Value])[]): NamedGraph {
    for (const value of inputs) this.nameInput(value);
    const direct = new Map<Value, string>();
    for (const [name, value] of outputs) {
      // Each output of a graph must be a node's own output: use Identity for inputs, constants, outer and repeated
      // values.
      if (value.origin.kind === "node" && !direct.has(value) && !this.lookUp(value)) direct.set(value, name);
    }
    const nodes = nodesBehind(outputs.map(([, value]) => value));
    this.read = new Set([...outputs.map(([, value]) => value), ...nodes.flatMap(dependencies)]);
    for (const node of nodes) {
      if (!this.isOuter(node)) this.addNode(node, direct);
    }
    for (const [name, value] of outputs) {
      if (direct.get(value) === name) continue;
      const from = this.nameOf(value, "Identity");
      this.nodes.push({
        name: this.names.unique("Identity"),
        type: "Identity",
        inputs: [from],
        outputs: [name],
        attributes: [],
      });
    }
    const describe = (name: string, { dtype, shape, sequence, origin }: Value): NamedValue => ({
      name,
      dtype,
      shape,
      sequence,
      doc: origin.kind === "input" ? origin.doc : undefined,
    });
    return {
      name: this.name,
      inputs: inputs.map((value) => describe(this.nameOf(value, "inputs"), value)),
      outputs: outputs.map(([name, value]) => ({ ...describe(name, value), doc: undefined })),
      initializers: this.initializers,
      nodes: this.nodes,
      values: this.values,
    };
  }

  private nameInput(value: Value): void {
    const name = nameOfInput(value);
    // Callers use the names of the model's inputs. The inputs of a body may be renamed.
    const unique = this.outer ? this.names.unique(name) : name;
    if (this.inputNames.has(unique)) {
      throw new GanOnnxError({ what: `two inputs are named ${unique}`, where: "build", fix: "rename one" });
    }
    this.inputNames.add(unique);
    this.named.set(value, unique);
  }

  /** Whether the node is already part of an enclosing graph. */
  private isOuter(node: Node): boolean {
    return this.outer !== undefined && node.outputs.some((output) => this.outer?.lookUp(output));
  }

  private addNode(node: Node, direct: ReadonlyMap<Value, string>): void {
    const { operator, scope } = node;
    const outputs = this.writtenOutputs(node);
    const inputs = node.inputs.map((value) => this.nameOf(value, operator.type));
    const attributes = Object.entries(operator.attributes)
      .filter(([, kind]) => kind !== "dims")
      .map(([key, kind]) => ({ name: key, kind, value: node.attributes[key] }));

    // The same operator with the same inputs gives the same outputs: write such nodes once.
    const key = JSON.stringify([operator.type, inputs, attributes, outputs.length], (_, part) => exact(part));
    const equal = this.written.get(key);
    if (equal && !node.bodies && !outputs.some((output) => direct.has(output))) {
      outputs.forEach((output, i) => {
        this.named.set(output, equal[i]);
      });
      return;
    }

    // The scope of a lowered node is the name of the original. The original operator, in another layout, keeps that
    // name.
    const own = `/${scope}`.endsWith(`/${operator.type}`) ? "" : operator.type;
    const path = [scope, own].filter((part) => part !== "").join("/");
    const name = this.names.unique(node.name ?? path);
    const bodies =
      node.bodies &&
      Object.fromEntries(
        Object.entries(node.bodies).map(([key, body]) => [key, this.bodyOf(body, `${name}/${key}`)]),
      );
    const outputNames = outputs.map((output, i) => {
      const given = direct.get(output) ?? (outputs.length === 1 ? name : this.names.unique(`${name}.${i}`));
      this.named.set(output, given);
      if (!direct.has(output)) this.values.push({ name: given, dtype: output.dtype, shape: output.shape });
      return given;
    });
    this.written.set(key, outputNames);
    const { type, domain } = operator;
    const inputNames = operator.written?.(inputs) ?? inputs;
    this.nodes.push({ name, type, domain, inputs: inputNames, outputs: outputNames, attributes, bodies });
  }

  /** The outputs of a node without the optional ones at the end that nothing reads. */
  private writtenOutputs({ operator, outputs }: Node): readonly Value[] {
    const { requiredOutputs = outputs.length } = operator;
    const last = outputs.findLastIndex((output, i) => i < requiredOutputs || this.read.has(output));
    return outputs.slice(0, last + 1);
  }

  private bodyOf(body: Body, name: string): NamedGraph {
    const graph = new GraphBuilder(name, this.names, this);
    return graph.build(
      body.inputs,
      Object.entries(body.outputs).map(([name, value]) => [this.names.unique(name), value]),
    );
  }

  private lookUp(value: Value): string | undefined {
    return this.named.get(value) ?? this.outer?.lookUp(value);
  }

  private nameOf(value: Value, reader: string): string {
    const existing = this.lookUp(value);
    if (existing !== undefined) return existing;
    if (value.origin.kind === "constant") return this.nameConstant(value, value.origin);
    throw new GanOnnxError({
      what: `the input ${value.origin.kind === "input" ? value.origin.name : "?"} is read by ${reader} but not listed`,
      where: "build",
      fix: "add it to inputs",
    });
  }

  /**
   * Write equal constants once per graph. A body has its own constants: ONNX Runtime folds only those in the same
   * graph.
   */
  private nameConstant(value: Value, { tensor, name }: { tensor: Tensor; name?: string }): string {
    const { dtype, shape } = tensor;
    const data: ArrayLike<number | bigint> = tensor.data;
    const content = data.length <= 16 ? `[${Array.from(data, shortNumber).join(",")}]` : undefined;
    const key =
      name === undefined ? `${dtype}[${shape.join(",")}][${Array.from(data, exact).join(",")}]` : undefined;
    const existing = key && this.constants.get(key);
    if (existing) return existing;
    const proposed =
      name ?? (content ? `${dtype}:${shape.length === 0 ? shortNumber(data[0]) : content}` : "constant");
    const unique = this.names.unique(proposed, value);
    this.initializers.push({ ...tensor, name: unique });
    if (key) this.constants.set(key, unique);
    else this.named.set(value, unique);
    return unique;
  }
}
