import type onnxProto from "onnx-proto";
import { GanOnnxError } from "../error.js";
import { halves } from "../tensors/half.js";
import type { FileOptions } from "./form.js";
import { onnx } from "./proto.js";

/** Tensors with fewer elements stay float32: biases and constants are small and need their precision. */
const SMALLEST = 256;

const [FLOAT, INT8, FLOAT16] = [1, 3, 10];

type Graph = onnxProto.onnx.IGraphProto;
type Initializer = onnxProto.onnx.ITensorProto;
type Node = onnxProto.onnx.INodeProto;

/**
 * Change how a model is stored. Names, metadata and operators stay.
 *
 * - `fp16`: large weights are stored as float16, with a Cast to float32 (https://onnx.ai/onnx/operators/onnx__Cast.html).
 * - `int8`: large weights w are stored as q = round(w / s), with s = max|w| / 127 for each channel, and a DequantizeLinear
 *   that gives s·q (https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html). The channel is the axis with which the
 *   difference is smallest.
 * - `batch`: the symbol of the first dimension of the first input becomes a number, wherever inputs and outputs have it.
 * - `opset`: operators are not converted. Run the model to check that they have the same meaning in that version.
 *
 * @param metadata replaces entries with the same key: the checksum must be replaced.
 * @throws {@link GanOnnxError} (usage) when the batch of the model is fixed already.
 */
export function reduced(
  bytes: Uint8Array,
  { precision = "fp32", batch, opset }: FileOptions,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const model = onnx.ModelProto.decode(bytes);
  const graph = model.graph as Graph;
  if (batch !== undefined) fixBatch(graph, batch);
  if (opset !== undefined) {
    const own = model.opsetImport.find(({ domain }) => !domain);
    if (own && Number(own.version) !== opset) {
      own.version = opset;
      model.irVersion = irOf(opset);
    }
  }
  if (precision !== "fp32") {
    liftWeights(graph, namesIn(graph));
    const nodes: Node[] = [];
    graph.initializer = graph.initializer?.flatMap((tensor) => {
      const stored = isLarge(tensor) && (precision === "fp16" ? asHalf(tensor) : asBytes(tensor));
      if (!stored) return [tensor];
      nodes.push(stored.node);
      return stored.tensors;
    });
    const names = new Set(nodes.flatMap(({ output }) => output ?? []));
    // Old files list initializers among the inputs.
    graph.input = graph.input?.filter(({ name }) => !names.has(name ?? ""));
    graph.node = [...nodes, ...(graph.node ?? [])];
  }
  const kept = model.metadataProps.filter(({ key }) => !((key ?? "") in metadata));
  model.metadataProps = [...kept, ...Object.entries(metadata).map(([key, value]) => ({ key, value }))];
  return new Uint8Array(onnx.ModelProto.encode(model).finish());
}

/** How often each name occurs in a graph and the graphs inside it. */
function namesIn(graph: Graph, counts = new Map<string, number>()): Map<string, number> {
  const named = [
    ...[graph.initializer, graph.input].flatMap((items) => (items ?? []).map(({ name }) => name ?? "")),
    ...(graph.node ?? []).flatMap(({ output }) => output ?? []),
  ];
  for (const name of named) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const body of bodiesIn(graph)) namesIn(body, counts);
  return counts;
}

function bodiesIn({ node }: Graph): Graph[] {
  return (node ?? []).flatMap(({ attribute }) => (attribute ?? []).flatMap(({ g }) => (g ? [g] : [])));
}

/** Move large weights out of the bodies of loops, so that they are converted once and not in each iteration. */
function liftWeights(graph: Graph, counts: ReadonlyMap<string, number>): void {
  for (const body of bodiesIn(graph)) {
    liftWeights(body, counts);
    const { initializer = [] } = body;
    const lifted = (initializer ?? []).filter(
      (tensor) => isLarge(tensor) && counts.get(tensor.name ?? "") === 1,
    );
    body.initializer = (initializer ?? []).filter((tensor) => !lifted.includes(tensor));
    graph.initializer = [...(graph.initializer ?? []), ...lifted];
  }
}

/** The version of the file format in which an operator set came out: https://github.com/onnx/onnx/blob/main/docs/Versioning.md */
function irOf(opset: number): number {
  const versions = [
    [14, 7],
    [18, 8],
    [20, 9],
    [22, 10],
    [23, 11],
  ] as const;
  return versions.find(([last]) => opset <= last)?.[1] ?? 12;
}

function fixBatch(graph: Graph, batch: number): void {
  const dims = (values: Graph["input"]) =>
    (values ?? []).flatMap(({ type }) => type?.tensorType?.shape?.dim ?? []);
  const initializers = new Set(graph.initializer?.map(({ name }) => name));
  const inputs = graph.input?.filter(({ name }) => !initializers.has(name)) ?? [];
  const symbol = inputs[0]?.type?.tensorType?.shape?.dim?.[0]?.dimParam;
  if (!symbol) {
    throw new GanOnnxError({
      what: "the batch size of the model is fixed already",
      where: "the exported model",
      fix: "leave the batch out",
      kind: "usage",
    });
  }
  for (const dim of [...dims(inputs), ...dims(graph.output), ...dims(graph.valueInfo)]) {
    if (dim.dimParam !== symbol) continue;
    // A oneof: the number replaces the symbol.
    delete dim.dimParam;
    dim.dimValue = batch;
  }
}

const shapeOf = ({ dims }: Initializer) => (dims ?? []).map(Number);

function isLarge(tensor: Initializer): boolean {
  const shape = shapeOf(tensor);
  const size = shape.reduce((product, dim) => product * dim, 1);
  return tensor.dataType === FLOAT && size >= SMALLEST && tensor.rawData?.length === 4 * size;
}

/** The numbers of a float32 tensor. Raw data need not be aligned. */
function floatsOf({ rawData }: Initializer): Float32Array {
  return new Float32Array((rawData as Uint8Array).slice().buffer);
}

interface Stored {
  readonly tensors: Initializer[];
  readonly node: Node;
}

function asHalf(tensor: Initializer): Stored | undefined {
  const rawData = halves(floatsOf(tensor));
  if (!rawData) return undefined;
  const name = `${tensor.name}/fp16`;
  const attribute = [{ name: "to", type: onnx.AttributeProto.AttributeType.INT, i: FLOAT }];
  return {
    tensors: [{ name, dims: tensor.dims, dataType: FLOAT16, rawData }],
    node: { name: `${name}/Cast`, opType: "Cast", input: [name], output: [tensor.name ?? ""], attribute },
  };
}

function asBytes(tensor: Initializer): Stored {
  const [shape, values] = [shapeOf(tensor), floatsOf(tensor)];
  const candidates = shape.map((_, axis) => ({ axis, ...quantized(values, shape, axis) }));
  const best = candidates.reduce((a, b) => (b.error < a.error ? b : a));
  const [q, s] = [`${tensor.name}/int8`, `${tensor.name}/scale`];
  const { INT } = onnx.AttributeProto.AttributeType;
  return {
    tensors: [
      { name: q, dims: tensor.dims, dataType: INT8, rawData: new Uint8Array(best.numbers.buffer) },
      { name: s, dims: [shape[best.axis]], dataType: FLOAT, rawData: new Uint8Array(best.scales.buffer) },
    ],
    node: {
      name: `${q}/DequantizeLinear`,
      opType: "DequantizeLinear",
      input: [q, s],
      output: [tensor.name ?? ""],
      attribute: [{ name: "axis", type: INT, i: best.axis }],
    },
  };
}

/** Numbers from -127 to 127 and a scale for each index along an axis, with the sum of squared differences and of scales. */
function quantized(values: Float32Array, shape: readonly number[], axis: number) {
  const inner = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const channel = (i: number) => Math.floor(i / inner) % shape[axis];
  const scales = new Float32Array(shape[axis]);
  for (const [i, value] of values.entries())
    scales[channel(i)] = Math.max(scales[channel(i)], Math.abs(value));
  for (const [i, most] of scales.entries()) scales[i] = most > 0 ? most / 127 : 1;
  const numbers = new Int8Array(values.length);
  let error = 4 * scales.length * Number.EPSILON;
  for (const [i, value] of values.entries()) {
    const scale = scales[channel(i)];
    numbers[i] = Math.round(value / scale);
    error += (numbers[i] * scale - value) ** 2;
  }
  return { numbers, scales, error };
}
