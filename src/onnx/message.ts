import type { Tensor } from "../tensors/tensor.js";

/** A dimension in a file: a number, a symbol, or unknown. */
export type FileDim = number | string | undefined;

/** The type of a value in a file. Undefined parts are unknown. */
export interface FileType {
  /** The element type: TensorProto.DataType. */
  readonly elementType: number;
  readonly shape: readonly FileDim[] | undefined;
}

export interface FileValue {
  readonly name: string;
  /** Undefined for values that are not tensors, such as sequences and maps. */
  readonly type: FileType | undefined;
}

/** A tensor in a file: its name, and a function that reads its elements on demand. */
export interface FileTensor {
  readonly name: string;
  readonly elementType: number;
  readonly shape: readonly number[];
  /**
   * @throws {@link GanOnnxError} when elements are missing, do not match the shape or have an unsupported type.
   */
  read(): Tensor;
}

/** The values of attributes, by kind. */
export interface AttributeValues {
  readonly int: number;
  readonly float: number;
  readonly string: string;
  readonly tensor: FileTensor;
  readonly graph: FileGraph;
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly strings: readonly string[];
  /** A reference to an attribute of the enclosing function: the call of the function gives the value. */
  readonly reference: string;
  /** Kinds that no supported operator uses: sparse tensors, types, lists of graphs. */
  readonly other: string;
}

export type FileAttribute = {
  readonly [K in keyof AttributeValues]: { readonly kind: K; readonly value: AttributeValues[K] };
}[keyof AttributeValues];

export interface FileNode {
  readonly name: string;
  readonly type: string;
  /** The domain of the operator. ONNX's own is "". */
  readonly domain: string;
  /** An optional input or output that is absent is "". */
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
  /** The types that the file declares for intermediate values. */
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
  /** The defaults of attributes that a call does not give. */
  readonly defaults: ReadonlyMap<string, FileAttribute>;
}

/** A decoded model file. Each message is checked by itself. */
export interface FileModel {
  readonly irVersion: number;
  readonly opsets: Opsets;
  readonly producer: { readonly name: string; readonly version: string };
  readonly doc: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly graph: FileGraph;
  /** Functions by `domain:name`. */
  readonly functions: ReadonlyMap<string, FileFunction>;
}
