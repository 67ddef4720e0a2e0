import { GanOnnxError } from "../error.js";
import { formatShape, sizeOf } from "../graph/index.js";
import type { Design } from "../training/recipes/index.js";
import type { SafetensorsFile, Tensor } from "../training/safetensors.js";
import { Session, type SessionPlace, type Tensors } from "../training/session.js";
import { namedTensors, stateWith } from "../training/state.js";
import type { StepGraph } from "../training/step-graph.js";

/**
 * How far float32 may be from a trajectory computed in float64: metrics relative to max(|reference|, 1e-2),
 * parameters absolute. The numbers are those of the reference trajectories' own README.
 */
export const tolerances = { metrics: 5e-4, mostParameters: 1e-4, allParameters: 2e-3 } as const;

/** How far one trajectory is from its record. */
export interface Comparison {
  readonly steps: number;
  /** The largest relative difference of each metric over all steps. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Over the parameters and buffers of all networks: 99.9% of them are within `most`, every one within `all`. */
  readonly parameters: { readonly most: number; readonly all: number };
  readonly within: boolean;
}

/**
 * Run a recorded trajectory through the training graph of a design and compare what comes out with the record.
 *
 * A record is a safetensors file with the parameters before (`init.<network>.<parameter>`), the batch inputs of every
 * step by their names in the graph, metrics of every step (not every one need be recorded), and the parameters after
 * (`final.…`).
 *
 * @throws GanOnnxError naming the file and every tensor that is missing or has another shape.
 */
export async function followTrajectory(
  { tensors }: SafetensorsFile,
  {
    design,
    graph,
    model,
    place,
    where,
  }: {
    design: Design;
    graph: StepGraph;
    model: Uint8Array;
    place: SessionPlace;
    where: string;
  },
): Promise<Comparison> {
  const record = new RecordReader(tensors, where);
  const { feeds, steps } = readFeeds(record, graph);
  const state = readState(record, design);
  record.finish();

  const session = await Session.open(model, place, "train.onnx");
  try {
    await session.setState(state);
    const outputs = await session.run(feeds);
    const metrics = compareMetrics(outputs, tensors);
    const parameters = compareParameters(design, await session.getState(), tensors);
    const { mostParameters, allParameters } = tolerances;
    const within =
      Object.values(metrics).every((difference) => difference <= tolerances.metrics) &&
      parameters.most <= mostParameters &&
      parameters.all <= allParameters;
    return { steps, metrics, parameters, within };
  } finally {
    await session.close();
  }
}

/** Owns the complaints about a record, so that one message names all of them. */
class RecordReader {
  private readonly complaints: string[] = [];

  constructor(
    private readonly tensors: ReadonlyMap<string, Tensor>,
    private readonly where: string,
  ) {}

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** The data of a tensor, if it has the shape wanted; `undefined` dimensions may be anything. */
  read(name: string, shape: readonly (number | undefined)[], dtype = "float32"): Tensor | undefined {
    const tensor = this.tensors.get(name);
    if (!tensor) {
      this.complaints.push(`${name} is missing`);
      return undefined;
    }
    const fits =
      tensor.dtype === dtype &&
      tensor.shape.length === shape.length &&
      shape.every((dim, i) => dim === undefined || dim === tensor.shape[i]);
    if (fits) return tensor;
    const wanted = formatShape(shape.map((dim) => dim ?? "any"));
    this.complaints.push(
      `${name} is ${tensor.dtype} ${formatShape(tensor.shape)} instead of ${dtype} ${wanted}`,
    );
    return undefined;
  }

  finish(): void {
    if (this.complaints.length === 0) return;
    throw new GanOnnxError({
      what: `is no record of this recipe: ${this.complaints.join(", ")}`,
      where: this.where,
      fix: "choose the --recipe that it was recorded with",
    });
  }
}

function readFeeds(record: RecordReader, { batches, metrics }: StepGraph): { feeds: Tensors; steps: number } {
  const feeds: Record<string, Tensor> = {};
  let steps: number | undefined;
  let batch: number | undefined;
  for (const { name, dtype, inputShape } of batches) {
    const symbols: Record<string, number | undefined> = { steps, batch };
    const shape = inputShape.map((dim) => (typeof dim === "string" ? symbols[dim] : dim));
    const tensor = record.read(name, shape, dtype);
    if (!tensor) continue;
    feeds[name] = tensor;
    steps = tensor.shape[0];
    batch = tensor.shape[inputShape.indexOf("batch")];
  }
  const recorded = metrics.filter(({ name }) => record.has(name));
  for (const { name, shape } of recorded.length > 0 ? recorded : metrics) {
    record.read(name, [steps && steps * sizeOf(shape.slice(1) as number[])], "float64");
  }
  return { feeds, steps: steps ?? 0 };
}

/** The state before the first step: the recorded parameters and buffers, everything else as a training starts. */
function readState(record: RecordReader, design: Design): Tensors {
  return stateWith(design, (network, name, { shape, out }) => {
    const init = record.read(`init.${network}.${name}`, shape);
    record.read(`final.${network}.${name}`, shape);
    if (init) out.set(init.data as Float32Array);
  });
}

function compareMetrics(outputs: Tensors, tensors: ReadonlyMap<string, Tensor>): Record<string, number> {
  const recorded = Object.entries(outputs).filter(([name]) => tensors.has(name));
  const differences = recorded.map(([name, { data }]) => {
    const reference = tensors.get(name)?.data ?? [];
    let largest = 0;
    for (let i = 0; i < data.length; i++) {
      const exact = Number(reference[i]);
      largest = worse(largest, Math.abs(Number(data[i]) - exact) / Math.max(1e-2, Math.abs(exact)));
    }
    return [name, largest] as const;
  });
  return Object.fromEntries(differences);
}

function compareParameters(
  design: Design,
  state: Tensors,
  tensors: ReadonlyMap<string, Tensor>,
): Comparison["parameters"] {
  const differences: number[] = [];
  for (const network of Object.keys(design.networks)) {
    for (const [name, { data }] of namedTensors(design, network, state)) {
      const reference = tensors.get(`final.${network}.${name}`)?.data ?? [];
      for (let i = 0; i < data.length; i++)
        differences.push(Math.abs(Number(data[i]) - Number(reference[i])));
    }
  }
  const sorted = Float64Array.from(differences).sort(); // NaN sorts last, so a broken run shows.
  return { most: sorted[Math.ceil(sorted.length * 0.999) - 1], all: sorted[sorted.length - 1] };
}

/** The larger of two numbers, NaN counting as the largest. */
function worse(a: number, b: number): number {
  return Number.isNaN(b) || b > a ? b : a;
}
