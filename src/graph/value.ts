import { GanOnnxError } from "../error.js";
import { type DType, elementsOf, faultOf, type Tensor, type TensorData } from "../tensors/tensor.js";
import type { Shape } from "./dims.js";

export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
  /** The value is a list of tensors with any shapes instead of one tensor. `shape` is then unused. */
  readonly sequence?: true;
}

/**
 * A symbolic tensor. Its type is known when it is created, its content when ONNX Runtime runs the graph. Values are
 * immutable. A graph consists of the values that its outputs depend on.
 */
export interface Value extends ValueType {
  readonly origin:
    | { readonly kind: "input"; readonly name: string; readonly doc?: string }
    | { readonly kind: "constant"; readonly tensor: Tensor; readonly name?: string }
    | { readonly kind: "node"; readonly node: Node; readonly index: number };
}

/**
 * The types of attributes, as written to ONNX. `dims` are for inference only and are not written: ONNX attributes have
 * no symbols.
 */
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
 * The gradients of the inputs, in order; null for an input without a gradient. A function is called only when its
 * input's gradient is required. If an operator has several inputs, use functions for everything that appends nodes.
 */
export type InputGradients = readonly (Value | null | (() => Value | null))[];

/** An ONNX operator. https://onnx.ai/onnx/operators/ has a page for each `type`. */
export interface Operator {
  readonly type: string;
  /** The domain of the operator if it is not ONNX's own, e.g. `com.microsoft`. */
  readonly domain?: string;
  readonly attributes: AttributeSchema;
  /**
   * Each element of the single output depends only on the elements at the same position of the inputs, which broadcast.
   */
  readonly pointwise?: boolean;
  infer(inputs: readonly Value[], attributes: Attributes): readonly ValueType[];
  /**
   * The vector-Jacobian product: converts gradients of the outputs (null if there is none) to gradients of the inputs.
   */
  readonly vjp:
    | ((
        inputs: readonly Value[],
        outputs: readonly Value[],
        gradients: readonly (Value | null)[],
        attributes: Attributes,
      ) => InputGradients)
    | null;
  /**
   * Other operators that compute the single output. If it returns a value, `build()` writes that instead of the node.
   */
  lower?(node: Node): Value | undefined;
  /** The names of the inputs as written, if they differ from the list of inputs. An absent optional input is "". */
  written?(inputs: readonly string[]): readonly string[];
  /** The number of outputs that are not optional, if not all. `build()` leaves out optional ones that nothing reads. */
  readonly requiredOutputs?: number;
}

/** The graph inside a `Loop` or an `If`: its own inputs and outputs, and the outer values that it reads. */
export interface Body {
  readonly inputs: readonly Value[];
  readonly outputs: Readonly<Record<string, Value>>;
  readonly captured: readonly Value[];
}

/** One use of an operator. Ids increase with creation, so ascending ids are a topological order. */
export interface Node {
  readonly id: number;
  readonly operator: Operator;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
  readonly scope: string;
  /** The graphs inside it, by the names of its attributes. */
  readonly bodies?: Readonly<Record<string, Body>>;
  /** The node's name in the file that it was read from. Other nodes are named after their scope and operator. */
  name?: string;
}

/** An input of an operator: a value, or a number, which becomes a scalar of the other operands' type. */
export type Operand = Value | number;

/** A graph input. Symbolic dimensions are strings: `input("z", "float32", ["batch", 100])`. */
export function input(name: string, dtype: DType, shape: Shape, doc?: string): Value {
  return { dtype, shape, origin: { kind: "input", name, doc } };
}

/** A graph input that is a list of tensors, as ONNX Runtime's optimizers require. */
export function sequenceInput(name: string, dtype: DType): Value {
  return { ...input(name, dtype, []), sequence: true };
}

/**
 * A constant tensor. With a name it is written as an initializer with that name, e.g. the weights of an exported
 * network. The array must have the type for the dtype: BigInt64Array for int64, Float32Array for float32, Uint8Array
 * for bool.
 *
 * @throws {@link GanOnnxError} when the number of elements or the array type does not match.
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

/** The number in a scalar constant; undefined for other values, including named constants, which may be weights. */
export function scalarNumber(operand: Operand): number | undefined {
  if (typeof operand === "number") return operand;
  if (operand.origin.kind !== "constant" || operand.shape.length > 0 || operand.origin.name !== undefined)
    return undefined;
  return Number(operand.origin.tensor.data[0]);
}
