import { GanOnnxError } from "../error.js";
import { type DType, elementsOf, faultOf, type Tensor, type TensorData } from "../tensors/tensor.js";
import type { Shape } from "./dims.js";

export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
  /** A list of tensors of any shapes, and not one tensor; `shape` then says nothing. */
  readonly sequence?: true;
}

/**
 * A symbolic tensor: what it will hold is known when ONNX Runtime runs the graph, its type is known now. Immutable;
 * a graph is nothing but the values that its outputs reach.
 */
export interface Value extends ValueType {
  readonly origin:
    | { readonly kind: "input"; readonly name: string; readonly doc?: string }
    | { readonly kind: "constant"; readonly tensor: Tensor; readonly name?: string }
    | { readonly kind: "node"; readonly node: Node; readonly index: number };
}

/** How an attribute is written into ONNX. `dims` serve inference alone: ONNX has no symbols there. */
type AttributeKinds = {
  int: number;
  float: number;
  ints: readonly number[];
  string: string;
  dtype: DType;
  dims: Shape;
};
export type AttributeKind = keyof AttributeKinds;
export type AttributeSchema = Readonly<Record<string, AttributeKind>>;
export type Attributes<S extends AttributeSchema = AttributeSchema> = {
  readonly [K in keyof S]: AttributeKinds[S[K]];
};

/**
 * The gradients of the inputs, in their order; null for an input through which no gradient flows. A function is called
 * only if its input's gradient is wanted: where an operator has several inputs, all that appends nodes goes in one.
 */
export type InputGradients = readonly (Value | null | (() => Value | null))[];

/** An operator of ONNX: https://onnx.ai/onnx/operators/ has a page for each `type`. */
export interface Operator {
  readonly type: string;
  /** Whose operator it is, if not ONNX's own: `com.microsoft`. */
  readonly domain?: string;
  readonly attributes: AttributeSchema;
  /** Each element of its one output depends on those at the same place of its inputs, which broadcast. */
  readonly pointwise?: boolean;
  infer(inputs: readonly Value[], attributes: Attributes): readonly ValueType[];
  /** The vector-Jacobian product: gradients of the outputs (null where none arrives) to gradients of the inputs. */
  readonly vjp:
    | ((
        inputs: readonly Value[],
        outputs: readonly Value[],
        gradients: readonly (Value | null)[],
        attributes: Attributes,
      ) => InputGradients)
    | null;
  /** What `build()` writes for a node, unless it is the node itself: other operators that compute its one output. */
  lower?(node: Node): Value | undefined;
  /** How its inputs are written, by name, if not one after the other: an optional one that is absent is "". */
  written?(inputs: readonly string[]): readonly string[];
}

/** The graph that a `Loop` runs: its own inputs and outputs, and the outer values that it reads. */
export interface Body {
  readonly inputs: readonly Value[];
  readonly outputs: Readonly<Record<string, Value>>;
  readonly captured: readonly Value[];
}

/** One application of an operator. Ids grow with creation, so ascending ids are a topological order. */
export interface Node {
  readonly id: number;
  readonly operator: Operator;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
  readonly scope: string;
  readonly body?: Body;
  /** What it is called in the file that it was read from. Other nodes are named after scope and operator. */
  name?: string;
}

/** What operators accept: a value, or a number that becomes a scalar of the other operands' type. */
export type Operand = Value | number;

/** A graph input. Symbolic dimensions are strings: `input("z", "float32", ["batch", 100])`. */
export function input(name: string, dtype: DType, shape: Shape, doc?: string): Value {
  return { dtype, shape, origin: { kind: "input", name, doc } };
}

/** A graph input that is a list of tensors: what ONNX Runtime's optimizers work on. */
export function sequenceInput(name: string, dtype: DType): Value {
  return { ...input(name, dtype, []), sequence: true };
}

/**
 * A tensor known now. With a name it is written as that initializer: the weights of an exported network. The type of
 * the array must fit the dtype: BigInt64Array for int64, Float32Array for float32, Uint8Array for bool.
 *
 * @throws GanOnnxError when the data do not fill the shape.
 */
export function constant<D extends DType>(
  dtype: D,
  shape: readonly number[],
  data: TensorData<D>,
  name?: string,
): Value {
  const tensor = { dtype, shape, data } as unknown as Tensor;
  const fault = faultOf(tensor);
  if (fault !== undefined) {
    throw new GanOnnxError({
      what: fault,
      where: name === undefined ? "constant" : `constant ${name}`,
      fix: "pass as many elements as the shape has, in an array of the dtype",
    });
  }
  return { dtype, shape, origin: { kind: "constant", tensor, name } };
}

/** A number as a scalar constant. */
export function scalar(value: number, dtype: DType = "float32"): Value {
  return constant(dtype, [], elementsOf(dtype, [value]));
}

/** Whole numbers as a one-dimensional int64 constant: axes, shapes, sizes. */
export function int64s(values: readonly number[]): Value {
  return constant("int64", [values.length], elementsOf("int64", values));
}

export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}

/** The number that a scalar constant holds, or undefined for any other value: one with a name may be a weight. */
export function scalarNumber(operand: Operand): number | undefined {
  if (typeof operand === "number") return operand;
  if (operand.origin.kind !== "constant" || operand.shape.length > 0 || operand.origin.name !== undefined)
    return undefined;
  return Number(operand.origin.tensor.data[0]);
}
