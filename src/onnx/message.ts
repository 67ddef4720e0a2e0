import type { Tensor } from "../tensors/tensor.js";

/** A dimension as a file gives it: a number, a symbol, or nothing. */
export type FileDim = number | string | undefined;

/** The type of a value as a file gives it; undefined parts are left open. */
export interface FileType {
  /** The number of the element type: TensorProto.DataType. */
  readonly elementType: number;
  readonly shape: readonly FileDim[] | undefined;
}

export interface FileValue {
  readonly name: string;
  /** Undefined for what is no tensor, as a sequence or a map. */
  readonly type: FileType | undefined;
}

/** A tensor in a file: its name, and how to get its elements, which are converted when somebody asks. */
export interface FileTensor {
  readonly name: string;
  readonly elementType: number;
  readonly shape: readonly number[];
  /** @throws GanOnnxError when the elements are missing, do not fill the shape or have a type that is not supported. */
  read(): Tensor;
}

/** What attributes hold, by their kinds. */
export interface AttributeValues {
  readonly int: number;
  readonly float: number;
  readonly string: string;
  readonly tensor: FileTensor;
  readonly graph: FileGraph;
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly strings: readonly string[];
  /** An attribute of the function around: the node takes what the call of the function says. */
  readonly reference: string;
  /** What no operator that is supported has: sparse tensors, types, lists of graphs. */
  readonly other: string;
}

export type FileAttribute = {
  readonly [K in keyof AttributeValues]: { readonly kind: K; readonly value: AttributeValues[K] };
}[keyof AttributeValues];

export interface FileNode {
  readonly name: string;
  readonly type: string;
  /** Whose operator it is: "" is ONNX's own. */
  readonly domain: string;
  /** "" stands for an optional input or output that is absent. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, FileAttribute>;
}

export interface FileGraph {
  readonly name: string;
  readonly nodes: readonly FileNode[];
  readonly initializers: ReadonlyMap<string, FileTensor>;
  readonly inputs: readonly FileValue[];
  readonly outputs: readonly FileValue[];
  /** What the file says of values between them. */
  readonly types: ReadonlyMap<string, FileType>;
}

/** The version of each operator set, by domain. */
export type Opsets = ReadonlyMap<string, number>;

/** A function that a model defines: https://github.com/onnx/onnx/blob/main/docs/IR.md#functions */
export interface FileFunction {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly FileNode[];
  readonly opsets: Opsets;
  /** What an attribute is that a call does not give. */
  readonly defaults: ReadonlyMap<string, FileAttribute>;
}

/** A model as it lies in a file, checked as far as each message goes. */
export interface FileModel {
  readonly irVersion: number;
  readonly opsets: Opsets;
  readonly producer: { readonly name: string; readonly version: string };
  readonly doc: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly graph: FileGraph;
  /** By `domain:name`. */
  readonly functions: ReadonlyMap<string, FileFunction>;
}
