import { Builder, ByteBuffer } from "flatbuffers";
import { checkSeal, seal, unsealed } from "../checksum.js";
import { GanOnnxError, messageOf } from "../error.js";
import { sizeOf, type Tensor, type Tensors, tensorIn } from "../tensors/tensor.js";

/**
 * The content of an ORT training checkpoint: one network's trained parameters, its frozen parameters, and Adam's state.
 */
export interface OrtCheckpoint {
  readonly trained: Tensors;
  readonly frozen: Tensors;
  /** Undefined before the first update: ORT then starts with zero moments. */
  readonly adam?: {
    /** The number of updates so far. */
    readonly step: number;
    readonly first: Tensors;
    readonly second: Tensors;
  };
}

/*
 * The layout of https://github.com/microsoft/onnxruntime, onnxruntime/core/flatbuffers/schema,
 * ort_training_checkpoint.fbs and ort.fbs, version 2, field by field: the position in a list is the field's id.
 */
const IDENTIFIER = "ODTC";
const VERSION = 2;
const FLOAT = 1;
const GROUP = "group0";
const MOMENTS = ["momentum0", "momentum1"] as const;
const fields = {
  checkpoint: { version: 0, moduleState: 1, optimizerGroups: 2, properties: 3, count: 4 },
  properties: { strings: 2, count: 3 },
  property: { name: 0, value: 1, count: 2 },
  moduleState: { trained: 0, frozen: 1, nominal: 2, external: 3, count: 4 },
  group: { name: 0, step: 1, initialRate: 2, states: 3, count: 4 },
  state: { parameter: 0, moments: 1, count: 2 },
  tensor: { name: 0, dims: 2, type: 3, raw: 4, count: 7 },
} as const;

/** Encode a checkpoint, with a checksum in its properties. */
export function encodeOrtCheckpoint({ trained, frozen, adam }: OrtCheckpoint): Uint8Array<ArrayBuffer> {
  const builder = new Builder(1024);
  const groups = adam ? [writeGroup(builder, adam)] : [];
  const groupVector = offsets(builder, groups);
  const [trainedVector, frozenVector] = [trained, frozen].map((parameters) =>
    offsets(
      builder,
      [...parameters].map(([name, tensor]) => writeTensor(builder, name, tensor)),
    ),
  );
  builder.startObject(fields.moduleState.count);
  builder.addFieldOffset(fields.moduleState.trained, trainedVector, 0);
  builder.addFieldOffset(fields.moduleState.frozen, frozenVector, 0);
  const moduleState = builder.endObject();
  const properties = writeProperties(builder, unsealed);
  builder.startObject(fields.checkpoint.count);
  builder.addFieldInt32(fields.checkpoint.version, VERSION, 0);
  builder.addFieldOffset(fields.checkpoint.moduleState, moduleState, 0);
  builder.addFieldOffset(fields.checkpoint.optimizerGroups, groupVector, 0);
  builder.addFieldOffset(fields.checkpoint.properties, properties, 0);
  builder.finish(builder.endObject(), IDENTIFIER);
  return seal(builder.asUint8Array().slice());
}

function writeProperties(builder: Builder, texts: Readonly<Record<string, string>>): number {
  const properties = Object.entries(texts).map(([key, text]) => {
    const [name, value] = [builder.createString(key), builder.createString(text)];
    builder.startObject(fields.property.count);
    builder.addFieldOffset(fields.property.name, name, 0);
    builder.addFieldOffset(fields.property.value, value, 0);
    return builder.endObject();
  });
  const vector = offsets(builder, properties);
  builder.startObject(fields.properties.count);
  builder.addFieldOffset(fields.properties.strings, vector, 0);
  return builder.endObject();
}

function writeGroup(builder: Builder, { step, first, second }: NonNullable<OrtCheckpoint["adam"]>): number {
  const states = [...first.keys()].map((parameter) => {
    const moments = offsets(
      builder,
      [first, second].map((moment, i) => writeTensor(builder, MOMENTS[i], tensorIn(moment, parameter))),
    );
    const name = builder.createString(parameter);
    builder.startObject(fields.state.count);
    builder.addFieldOffset(fields.state.parameter, name, 0);
    builder.addFieldOffset(fields.state.moments, moments, 0);
    return builder.endObject();
  });
  const vector = offsets(builder, states);
  const name = builder.createString(GROUP);
  builder.startObject(fields.group.count);
  builder.addFieldOffset(fields.group.name, name, 0);
  builder.addFieldInt64(fields.group.step, BigInt(step), 0n);
  builder.addFieldOffset(fields.group.states, vector, 0);
  return builder.endObject();
}

function writeTensor(builder: Builder, tensorName: string, { shape, data }: Tensor): number {
  const raw = builder.createByteVector(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  builder.startVector(8, shape.length, 8);
  for (const dim of shape.toReversed()) builder.addInt64(BigInt(dim));
  const dims = builder.endVector();
  const name = builder.createString(tensorName);
  builder.startObject(fields.tensor.count);
  builder.addFieldOffset(fields.tensor.name, name, 0);
  builder.addFieldOffset(fields.tensor.dims, dims, 0);
  builder.addFieldInt32(fields.tensor.type, FLOAT, 0);
  builder.addFieldOffset(fields.tensor.raw, raw, 0);
  return builder.endObject();
}

/** Write a vector of tables. The tables must be written before it. */
function offsets(builder: Builder, tables: readonly number[]): number {
  builder.startVector(4, tables.length, 4);
  for (const table of tables.toReversed()) builder.addOffset(table);
  return builder.endVector();
}

/**
 * Read a checkpoint.
 *
 * @throws {@link GanOnnxError} when the file is not as ORT 1.19 writes it.
 */
export function decodeOrtCheckpoint(bytes: Uint8Array, where: string): OrtCheckpoint {
  const { checkpoint, properties } = readOrtCheckpoint(bytes, where);
  checkSeal(bytes, properties, where);
  return checkpoint;
}

function readOrtCheckpoint(bytes: Uint8Array, where: string) {
  try {
    const root = Table.root(bytes);
    const moduleState = root.required(fields.checkpoint.moduleState, "module_state");
    if (moduleState.flag(fields.moduleState.nominal))
      throw new Error("it names parameters without their values");
    if (moduleState.flag(fields.moduleState.external)) throw new Error("its parameters are in another file");
    const { trained, frozen } = fields.moduleState;
    const adam = root
      .tables(fields.checkpoint.optimizerGroups)
      .filter((group) => group.text(fields.group.name) === GROUP)
      .map(readGroup)
      .find(({ first }) => first.size > 0);
    const checkpoint: OrtCheckpoint = {
      trained: new Map(moduleState.tables(trained).map(readTensor)),
      frozen: new Map(moduleState.tables(frozen).map(readTensor)),
      adam,
    };
    const texts = root.optional(fields.checkpoint.properties)?.tables(fields.properties.strings) ?? [];
    const { name, value } = fields.property;
    const properties = Object.fromEntries(texts.map((text) => [text.text(name), text.text(value)]));
    return { checkpoint, properties };
  } catch (cause) {
    throw new GanOnnxError({
      what: `is not a checkpoint of ORT's training API, version ${VERSION} (${messageOf(cause)})`,
      where,
      fix: "write it again with `gan-onnx export checkpoint`, or ONNX Runtime 1.19",
      cause,
    });
  }
}

function readGroup(group: Table): NonNullable<OrtCheckpoint["adam"]> {
  const moments = MOMENTS.map(() => new Map<string, Tensor>());
  for (const state of group.tables(fields.group.states)) {
    const parameter = state.text(fields.state.parameter);
    for (const [name, tensor] of state.tables(fields.state.moments).map(readTensor)) {
      const i = (MOMENTS as readonly string[]).indexOf(name);
      if (i < 0) throw new Error(`${parameter} has a state ${name}, which is not Adam's`);
      moments[i].set(parameter, tensor);
    }
  }
  const [first, second] = moments;
  return { step: group.integer(fields.group.step), first, second };
}

function readTensor(table: Table): [name: string, tensor: Tensor] {
  const name = table.text(fields.tensor.name);
  const shape = table.integers(fields.tensor.dims);
  const type = table.int32(fields.tensor.type);
  const raw = table.bytes(fields.tensor.raw);
  if (type !== FLOAT) throw new Error(`${name} is of the type ${type}, and not float32`);
  if (raw.length !== 4 * sizeOf(shape)) {
    throw new Error(`${name} has ${raw.length} bytes for the shape [${shape.join(", ")}]`);
  }
  // Copy the bytes: float32 must begin at a multiple of 4 in memory.
  return [name, { dtype: "float32", shape, data: new Float32Array(raw.slice().buffer) }];
}

/** A table of a FlatBuffer. Positions outside the file throw; the library itself would read them. */
class Table {
  private constructor(
    private readonly buffer: ByteBuffer,
    private readonly at: number,
  ) {}

  static root(bytes: Uint8Array): Table {
    const buffer = new ByteBuffer(bytes);
    if (bytes.length < 12 || !buffer.__has_identifier(IDENTIFIER))
      throw new Error(`it is not marked ${IDENTIFIER}`);
    const root = new Table(buffer, buffer.readInt32(0));
    const version = root.int32(fields.checkpoint.version);
    if (version !== VERSION) throw new Error(`it is of version ${version}`);
    return root;
  }

  required(id: number, name: string): Table {
    const table = this.optional(id);
    if (!table) throw new Error(`it has no ${name}`);
    return table;
  }

  optional(id: number): Table | undefined {
    const place = this.place(id, 4);
    return place === undefined ? undefined : new Table(this.buffer, this.buffer.__indirect(place));
  }

  flag(id: number): boolean {
    const place = this.place(id, 1);
    return place !== undefined && this.buffer.readInt8(place) !== 0;
  }

  int32(id: number): number {
    const place = this.place(id, 4);
    return place === undefined ? 0 : this.buffer.readInt32(place);
  }

  integer(id: number): number {
    const place = this.place(id, 8);
    return place === undefined ? 0 : Number(this.buffer.readInt64(place));
  }

  text(id: number): string {
    return new TextDecoder("utf-8", { fatal: true }).decode(this.bytes(id));
  }

  integers(id: number): number[] {
    const { start, length } = this.vector(id, 8);
    return Array.from({ length }, (_, i) => Number(this.buffer.readInt64(start + 8 * i)));
  }

  bytes(id: number): Uint8Array {
    const { start, length } = this.vector(id, 1);
    return this.buffer.bytes().subarray(start, start + length);
  }

  tables(id: number): Table[] {
    const { start, length } = this.vector(id, 4);
    return Array.from({ length }, (_, i) => new Table(this.buffer, this.buffer.__indirect(start + 4 * i)));
  }

  private vector(id: number, elementSize: number): { start: number; length: number } {
    const place = this.place(id, 4);
    if (place === undefined) return { start: 0, length: 0 };
    const vector = this.within(this.buffer.__indirect(place), 4);
    const length = this.buffer.readUint32(vector);
    return { start: this.within(vector + 4, length * elementSize), length };
  }

  /** The position of a field's value; undefined for a field that is not written and has its default. */
  private place(id: number, size: number): number | undefined {
    const vtable = this.within(this.at, 4) - this.buffer.readInt32(this.at);
    this.within(vtable, 4);
    this.within(vtable, this.buffer.readUint16(vtable));
    const offset = this.buffer.__offset(this.at, 4 + 2 * id);
    return offset === 0 ? undefined : this.within(this.at + offset, size);
  }

  private within(at: number, size: number): number {
    if (at >= 0 && at + size <= this.buffer.capacity()) return at;
    throw new Error("it is cut off or damaged");
  }
}
