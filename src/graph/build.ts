import { GanOnnxError } from "../error.js";
import type { NamedTensor, Tensor } from "../tensors/tensor.js";
import { lowered } from "./lower.js";
import { dependencies } from "./operator.js";
import { nodesBehind } from "./paths.js";
import type { AttributeKind, Body, Node, Value, ValueType } from "./value.js";

/** A graph with names, ready to be written: the same structure as ONNX's GraphProto. */
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
  readonly body?: NamedGraph;
}

/** What a model says about itself: shown by Netron, read by `sample` and the page. */
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
 * Keep what the outputs reach and name it. Inputs keep their own names, outputs take their keys (of a map, in
 * any case in its order), nodes are named by the scope in which they were made.
 *
 * @throws GanOnnxError when an output depends on an input that is not listed, or two of the inputs and outputs share a
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

/** The name of a graph input. Throws for any other value. */
export function nameOfInput(value: Value): string {
  if (value.origin.kind === "input") return value.origin.name;
  throw new GanOnnxError({
    what: "a value is listed that is no input",
    where: "build",
    fix: "list values of input()",
  });
}

/** Owns the names of a model: ONNX wants them unique over all its graphs. */
class Names {
  private readonly counts = new Map<string, number>();
  private readonly reserved = new Map<Value, string>();

  constructor(private readonly taken: Set<string>) {}

  /** The name of a value that keeps it, as weights do, if it is free: others make way for it. */
  reserve(value: Value, name: string): void {
    if (this.taken.has(name)) return;
    this.taken.add(name);
    this.reserved.set(value, name);
  }

  unique(wanted: string, value?: Value): string {
    const own = value && this.reserved.get(value);
    if (own !== undefined) return own;
    for (let count = (this.counts.get(wanted) ?? 0) + 1; ; count++) {
      const name = count === 1 ? wanted : `${wanted}_${count}`;
      if (this.taken.has(name)) continue;
      this.counts.set(wanted, count);
      this.taken.add(name);
      return name;
    }
  }
}

/** Owns one graph while it is named; a loop's body is a graph inside another, whose names it sees. */
class GraphBuilder {
  private readonly named = new Map<Value, string>();
  private readonly inputNames = new Set<string>();
  private readonly constants = new Map<string, string>();
  private readonly twins = new Map<string, readonly string[]>();
  private readonly initializers: NamedTensor[] = [];
  private readonly nodes: NamedNode[] = [];
  private readonly values: NamedValue[] = [];

  constructor(
    private readonly name: string,
    private readonly names: Names,
    private readonly outer: GraphBuilder | undefined,
  ) {}

  build(inputs: readonly Value[], outputs: readonly (readonly [name: string, value: Value])[]): NamedGraph {
    for (const value of inputs) this.nameInput(value);
    const direct = new Map<Value, string>();
    for (const [name, value] of outputs) {
      // A graph's output must be a node's own: inputs, constants, outer and repeated values pass through Identity.
      if (value.origin.kind === "node" && !direct.has(value) && !this.lookUp(value)) direct.set(value, name);
    }
    for (const node of nodesBehind(outputs.map(([, value]) => value))) {
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
    // Only the model's own inputs are addressed from outside; a body's may be renamed.
    const unique = this.outer ? this.names.unique(name) : name;
    if (this.inputNames.has(unique)) {
      throw new GanOnnxError({ what: `two inputs are named ${unique}`, where: "build", fix: "rename one" });
    }
    this.inputNames.add(unique);
    this.named.set(value, unique);
  }

  /** Whether a node belongs to a graph around this one, which has it already. */
  private isOuter(node: Node): boolean {
    return this.outer !== undefined && node.outputs.some((output) => this.outer?.lookUp(output));
  }

  private addNode(node: Node, direct: ReadonlyMap<Value, string>): void {
    const { operator, outputs, scope } = node;
    const inputs = node.inputs.map((value) => this.nameOf(value, operator.type));
    const attributes = Object.entries(operator.attributes)
      .filter(([, kind]) => kind !== "dims")
      .map(([key, kind]) => ({ name: key, kind, value: node.attributes[key] }));

    // The same operator on the same inputs gives the same outputs: such twins are written once.
    const key = JSON.stringify([operator.type, inputs, attributes, outputs.length], (_, part) => exact(part));
    const twin = this.twins.get(key);
    if (twin && !node.body && !outputs.some((output) => direct.has(output))) {
      outputs.forEach((output, i) => {
        this.named.set(output, twin[i]);
      });
      return;
    }

    // What an operator is lowered to lies in its name's scope; the operator itself, in another layout, keeps its name.
    const own = `/${scope}`.endsWith(`/${operator.type}`) ? "" : operator.type;
    const path = [scope, own].filter((part) => part !== "").join("/");
    const name = this.names.unique(node.name ?? path);
    const body = node.body && this.bodyOf(node.body, name);
    const outputNames = outputs.map((output, i) => {
      const given = direct.get(output) ?? (outputs.length === 1 ? name : this.names.unique(`${name}.${i}`));
      this.named.set(output, given);
      if (!direct.has(output)) this.values.push({ name: given, dtype: output.dtype, shape: output.shape });
      return given;
    });
    this.twins.set(key, outputNames);
    const { type, domain } = operator;
    const written = operator.written?.(inputs) ?? inputs;
    this.nodes.push({ name, type, domain, inputs: written, outputs: outputNames, attributes, body });
  }

  private bodyOf(body: Body, loop: string): NamedGraph {
    const graph = new GraphBuilder(`${loop}/body`, this.names, this);
    return graph.build(
      body.inputs,
      Object.entries(body.outputs).map(([name, value]) => [this.names.unique(name), value]),
    );
  }

  private lookUp(value: Value): string | undefined {
    return this.named.get(value) ?? this.outer?.lookUp(value);
  }

  private nameOf(value: Value, reader: string): string {
    const known = this.lookUp(value);
    if (known !== undefined) return known;
    if (value.origin.kind === "constant") return this.nameConstant(value, value.origin);
    throw new GanOnnxError({
      what: `the input ${value.origin.kind === "input" ? value.origin.name : "?"} is read by ${reader} but not listed`,
      where: "build",
      fix: "add it to inputs",
    });
  }

  /** Equal constants are written once per graph; a body has its own, as ONNX Runtime folds those it can see. */
  private nameConstant(value: Value, { tensor, name }: { tensor: Tensor; name?: string }): string {
    const { dtype, shape } = tensor;
    const data: ArrayLike<number | bigint> = tensor.data;
    const content = data.length <= 16 ? `[${Array.from(data, shortNumber).join(",")}]` : undefined;
    const key =
      name === undefined ? `${dtype}[${shape.join(",")}][${Array.from(data, exact).join(",")}]` : undefined;
    const known = key && this.constants.get(key);
    if (known) return known;
    const wanted =
      name ?? (content ? `${dtype}:${shape.length === 0 ? shortNumber(data[0]) : content}` : "constant");
    const unique = this.names.unique(wanted, value);
    this.initializers.push({ ...tensor, name: unique });
    if (key) this.constants.set(key, unique);
    else this.named.set(value, unique);
    return unique;
  }
}

/** What is written alike only if it is the same: 0 and -0 are not, nor are those numbers that JSON has no word for. */
function exact(part: unknown): unknown {
  return typeof part === "number" && (!Number.isFinite(part) || Object.is(part, -0))
    ? `number ${Object.is(part, -0) ? "-0" : part}`
    : part;
}

/** A number as a person writes it: 0.2, and not the 0.20000000298023224 that float32 makes of it. */
function shortNumber(value: number | bigint): string {
  return typeof value === "bigint" ? String(value) : String(Number(value.toPrecision(7)));
}
