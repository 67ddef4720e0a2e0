import { writeFile } from "node:fs/promises";
import { imageOf, resolveConfig } from "../src/config.js";
import { buildArtifacts, designOf } from "../src/index.js";
import type { Design, ImageShape } from "../src/recipes/index.js";
import { settledSettings } from "../src/runs/settings.js";
import { encodeSafetensors } from "../src/tensors/safetensors.js";
import type { Tensor, Tensors } from "../src/tensors/tensor.js";
import { feedsOfBlock } from "../src/training/batches.js";
import { designWithFiles, type GivenFile } from "../src/training/file-design.js";
import { tensorName } from "../src/training/names.js";
import { initialState, namedTensors } from "../src/training/state.js";
import type { StepGraph } from "../src/training/step-graph.js";
import { CHECKED } from "./checked.js";
import { drawnImages } from "./images.js";
import { multiplyAdds } from "./multiply-adds.js";

/** Steps of a recipe that all contestants run, with the same weights and batches. */
export interface StepCase {
  readonly design: Design;
  readonly graph: StepGraph;
  readonly train: Uint8Array<ArrayBuffer>;
  readonly state: Tensors;
  /** A block of `steps` batches for all inputs of the graph. Every round repeats it. */
  readonly feeds: Tensors;
  readonly steps: number;
  readonly batchSize: number;
  /** Multiply-adds of one step. */
  readonly work: number;
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** The approximate number of multiply-adds in a round: a quarter of a second to a second on two cores. */
const ROUND = 25e9;

/** How to make a case. */
interface CaseOptions {
  /** Use the smallest number of steps for a comparison. */
  readonly quick: boolean;
  /** ONNX files that replace networks of the recipe. */
  readonly files?: ReadonlyMap<string, GivenFile>;
}

/** The case for a configuration's flags. */
export function stepCase(flags: Readonly<Record<string, unknown>>, { quick, files }: CaseOptions): StepCase {
  const { run, recipe, flat } = resolveConfig(flags);
  const { batchSize } = run;
  const image = imageOf(run);
  const design = files
    ? designWithFiles({ recipe: run.recipe, settings: recipe, image, files }).design
    : designOf(run.recipe, recipe, image);
  const { graph, train } = buildArtifacts(design, flat);
  const work = multiplyAdds(graph.model.graph, { batch: batchSize, steps: 1 });
  const steps = quick ? CHECKED : Math.min(64, Math.max(CHECKED, Math.round(ROUND / work)));
  return {
    ...{ design, graph, train, steps, batchSize, work, configuration: settledSettings(flat, design) },
    state: initialState(design, run.seed),
    feeds: blockOf(graph, image, steps, batchSize),
  };
}

function blockOf({ batches }: StepGraph, image: ImageShape, steps: number, batchSize: number): Tensors {
  const count = steps * batchSize * Math.max(...batches.map(({ repeats }) => repeats));
  const dataset = drawnImages(image, count);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const block = { firstStep: 0, steps, batchSize };
  return feedsOfBlock(batches, dataset, { seed: 0, epoch: 1, order }, block, batchSize);
}

/** Write what gan-onnx needs in a page beside a case's file: its training graph and its state. */
export async function writePageCase(path: string, { train, state }: StepCase): Promise<void> {
  const base = path.replace(/\.safetensors$/, "");
  await writeFile(`${base}.onnx`, train);
  await writeFile(`${base}.state.safetensors`, encodeSafetensors(state, {}));
}

/** Write a design's weights, and what it is fed, for contestants in other languages. */
export async function writeCase(
  path: string,
  {
    design,
    state,
    configuration,
    steps,
  }: Pick<StepCase, "design" | "state" | "configuration"> & { steps?: number },
  feeds: Tensors,
): Promise<void> {
  const { channels, height, width } = design.image;
  const weights = Object.keys(design.networks).flatMap((network) =>
    [...namedTensors(design, network, state)].map(([name, tensor]): [string, Tensor] => [
      tensorName(network, name),
      tensor,
    ]),
  );
  const tensors = new Map<string, Tensor>([...weights, ...feeds]);
  await writeFile(
    path,
    encodeSafetensors(tensors, {
      configuration: JSON.stringify({ ...configuration, image: [channels, height, width] }),
      steps: String(steps),
    }),
  );
}
