import { fileURLToPath } from "node:url";
import { GanOnnxError, setting, text } from "../error.js";
import type { Shape } from "../graph/index.js";
import { declarationsOf } from "../networks/index.js";
import type { Design } from "../recipes/index.js";
import { Session, type SessionPlace } from "../runtime/session.node.js";
import type { SafetensorsFile } from "../tensors/safetensors.js";
import { floatsIn, type Tensors, tensorIn } from "../tensors/tensor.js";
import { differences, type Expected, listed } from "../training/expected.js";
import { tensorName } from "../training/names.js";
import { recipeOf } from "../training/other-recipe.js";
import { namedTensors, stateWith, withSteps } from "../training/state.js";
import type { StepGraph } from "../training/step-graph.js";

/**
 * The tolerances of float32 compared with a trajectory computed in float64: metrics relative to max(|reference|, 1e-2),
 * parameters absolute. The numbers are from the README of the reference trajectories.
 */
export const tolerances = { metrics: 5e-4, mostParameters: 1e-4, allParameters: 2e-3 } as const;

/** The record in this package: see models/README.md. */
export const packagedRecord = fileURLToPath(new URL("../../models/trajectory.safetensors", import.meta.url));

/** The differences between a trajectory and its record. */
export interface TrajectoryComparison {
  readonly steps: number;
  /** The largest relative difference of each metric over all steps. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Parameters and buffers of all networks: 99.9% of the differences are within `most`, all are within `all`. */
  readonly parameters: { readonly most: number; readonly all: number };
  readonly within: boolean;
}

/**
 * Replay a recorded trajectory with the training graph of a design, and compare the results with the record.
 *
 * A record is a safetensors file with the initial parameters (`init.<network>.<parameter>`), the batch inputs of every
 * step by their names in the graph, metrics of every step (some may be missing), and the final parameters (`final.…`).
 *
 * @throws {@link GanOnnxError} when tensors are missing or have another shape. The message lists all of them.
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
): Promise<TrajectoryComparison> {
  const steps = checkRecord(tensors, { design, graph, where });
  const feeds = new Map(graph.batches.map(({ name }) => [name, tensorIn(tensors, name)]));
  const state = stateWith(design, (network, name, { out }) => {
    out.set(floatsIn(tensors, `init.${tensorName(network, name)}`));
  });

  const session = await Session.open(model, place, "train.onnx");
  try {
    await session.setState(withSteps(design, state, steps));
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

/**
 * Check that a record contains what the design needs.
 *
 * @returns the number of steps.
 * @throws {@link GanOnnxError} when tensors are missing or have another shape.
 */
export function checkRecord(
  tensors: Tensors,
  { design, graph, where }: { design: Design; graph: StepGraph; where: string },
): number {
  const { batches, metrics } = graph;
  const [first] = batches;
  const shape = tensors.get(first.name)?.shape ?? [];
  const extents: Record<string, number> = {
    steps: shape[0],
    batch: shape[first.inputShape.indexOf("batch")],
  };
  const sized = (dims: Shape) => dims.map((dim) => (typeof dim === "string" ? (extents[dim] ?? dim) : dim));

  const expected = new Map<string, Expected>();
  for (const { name, dtype, inputShape } of batches) expected.set(name, { dtype, shape: sized(inputShape) });
  const recorded = metrics.filter(({ name }) => tensors.has(name));
  for (const { name, shape } of recorded.length > 0 ? recorded : metrics) {
    const [steps, repeats = 1] = sized(shape);
    const count = typeof steps === "number" ? steps * Number(repeats) : steps;
    expected.set(name, { dtype: "float64", shape: [count] });
  }
  for (const [network, definition] of Object.entries(design.networks)) {
    const { parameters, buffers } = declarationsOf(definition);
    for (const { name, shape } of [...parameters, ...buffers]) {
      expected.set(`init.${tensorName(network, name)}`, { dtype: "float32", shape });
      expected.set(`final.${tensorName(network, name)}`, { dtype: "float32", shape });
    }
  }
  const complaints = differences(tensors, expected, { allowExtra: true });
  if (complaints.length === 0) return extents.steps;
  const initial = [...tensors.keys()].flatMap((name) => /^init\.(.+)$/.exec(name)?.[1] ?? []);
  const recipe = recipeOf(new Set(initial));
  if (recipe !== undefined && recipe !== design.recipe) {
    const what = `is a record of the recipe ${recipe}, not of ${design.recipe}`;
    throw new GanOnnxError({ what, where, fix: text`choose ${setting("recipe", recipe)}` });
  }
  throw new GanOnnxError({
    what: `is not a record of this recipe: ${listed(complaints)}`,
    where,
    fix: text`choose the ${setting("recipe")} that it was recorded with`,
  });
}

function compareMetrics(outputs: Tensors, tensors: Tensors): Record<string, number> {
  const recorded = [...outputs].filter(([name]) => tensors.has(name));
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
  tensors: Tensors,
): TrajectoryComparison["parameters"] {
  const differences: number[] = [];
  for (const network of Object.keys(design.networks)) {
    for (const [name, { data }] of namedTensors(design, network, state)) {
      const reference = tensors.get(`final.${tensorName(network, name)}`)?.data ?? [];
      for (let i = 0; i < data.length; i++)
        differences.push(Math.abs(Number(data[i]) - Number(reference[i])));
    }
  }
  const sorted = Float64Array.from(differences).sort(); // NaN sorts last, so it is part of the result.
  return { most: sorted[Math.ceil(sorted.length * 0.999) - 1], all: sorted[sorted.length - 1] };
}

/** The larger of two numbers. NaN is the largest. */
function worse(a: number, b: number): number {
  return Number.isNaN(b) || b > a ? b : a;
}
