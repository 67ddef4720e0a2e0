import { GanOnnxError } from "../error.js";
import {
  type AttributeSchema,
  type Attributes,
  type Body,
  type InputGradients,
  type Node,
  type Operand,
  type Operator,
  scalar,
  type Value,
  type ValueType,
} from "./value.js";

type NoAttributes = Record<never, never>;

let nextId = 0;
let scope = "";

/** Name the nodes that `trace` creates below `name`. Netron shows these names. */
export function withScope<T>(name: string, trace: () => T): T {
  return atScope([scope, name], trace);
}

/** Like {@link withScope}, but from the root: gradient nodes are named after the nodes that they belong to. */
export function atScope<T>(path: readonly string[], trace: () => T): T {
  const outer = scope;
  scope = path.filter((part) => part !== "").join("/");
  try {
    return trace();
  } finally {
    scope = outer;
  }
}

/**
 * Append a node and return its outputs. Types are inferred immediately, so a wrong shape throws on the caller's line.
 */
export function apply(
  operator: Operator,
  inputs: readonly Value[],
  attributes: Attributes = {},
  bodies?: Readonly<Record<string, Body>>,
): readonly Value[] {
  const outputs: Value[] = [];
  const node: Node = { id: nextId++, operator, inputs, attributes, outputs, scope, bodies };
  operator.infer(inputs, attributes).forEach((type, index) => {
    outputs.push({ ...type, origin: { kind: "node", node, index } });
  });
  return outputs;
}

/** Name the node that produces a value, unless it has a name. */
export function nameNode({ origin }: Value, name: string | undefined): void {
  if (origin.kind === "node") origin.node.name ??= name;
}

/** The id of the next node. Nodes created later have this id or larger ones. */
export function nextNode(): number {
  return nextId;
}

/** The values that a node reads, including those that its bodies capture. */
export function dependencies(node: Node): readonly Value[] {
  if (!node.bodies) return node.inputs;
  return [...node.inputs, ...Object.values(node.bodies).flatMap(({ captured }) => captured)];
}

/** Convert numbers to scalars with the dtype of the other operands. */
function lift(type: string, operands: readonly Operand[]): Value[] {
  const typed = operands.filter((operand) => typeof operand !== "number");
  const dtype = typed.find((value) => value.dtype !== "bool")?.dtype ?? "float32";
  return operands.map((operand) => {
    if (typeof operand === "number") return scalar(operand, dtype);
    if (operand?.origin === undefined) {
      throw new GanOnnxError({
        what: "an input is not a value",
        where: type,
        fix: "pass graph values or numbers",
      });
    }
    return operand;
  });
}

interface Definition<S extends AttributeSchema> {
  readonly type: string;
  readonly attributes?: S;
  readonly pointwise?: boolean;
  infer(inputs: readonly Value[], attributes: Attributes<S>): ValueType;
  readonly vjp:
    | ((inputs: readonly Value[], y: Value, g: Value, attributes: Attributes<S>) => InputGradients)
    | null;
  lower?(inputs: readonly Value[], y: Value, attributes: Attributes<S>): Value | undefined;
}

type Arguments<I extends readonly Operand[], S extends AttributeSchema> = keyof S extends never
  ? I
  : readonly [...I, Attributes<S>];

/** An operator that can be called. `operator` is its definition. */
export type Op<I extends readonly Operand[], S extends AttributeSchema = NoAttributes> = ((
  ...args: Arguments<I, S>
) => Value) & {
  readonly operator: Operator;
};

/**
 * Define an operator with one output: its ONNX type, the inference of its result's type, and its gradient. The gradient
 * is written in operators, so it can be differentiated again. Call the result with the inputs, then the attributes if
 * there are any.
 */
export function defineOp<
  I extends readonly Operand[] = [x: Operand],
  const S extends AttributeSchema = NoAttributes,
>(definition: Definition<S>): Op<I, S> {
  const { type, attributes: schema, pointwise, infer, vjp, lower } = definition;
  const operator: Operator = {
    type,
    attributes: schema ?? {},
    pointwise,
    infer: (inputs, attributes) => [infer(inputs, attributes as Attributes<S>)],
    vjp:
      vjp &&
      ((inputs, [y], [g], attributes) =>
        g === null ? inputs.map(() => null) : vjp(inputs, y, g, attributes as Attributes<S>)),
    lower: lower && (({ inputs, outputs: [y], attributes }) => lower(inputs, y, attributes as Attributes<S>)),
  };
  const call = (...args: readonly unknown[]) => {
    const operands = (schema ? args.slice(0, -1) : args) as readonly Operand[];
    const attributes = (schema ? args[args.length - 1] : {}) as Attributes;
    return apply(operator, lift(type, operands), attributes)[0];
  };
  return Object.assign(call, { operator }) as Op<I, S>;
}
