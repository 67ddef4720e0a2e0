import type { Dataset } from "../../src/data/dataset.js";
import { idxDataset } from "../../src/data/idx.js";
import type { Design } from "../../src/recipes/index.js";
import { NEXT, type StatefulSession } from "../../src/runtime/engine.js";
import type { Tensors } from "../../src/tensors/tensor.js";
import { checkLabels, feedsOfBlock, orderOfEpoch } from "../../src/training/batches.js";
import { initialState } from "../../src/training/state.js";
import { batchInputs, type StepGraph } from "../../src/training/step-graph.js";
import { loadRuntime, openOn } from "../runtime/onnxruntime.js";
import type { PageProvider } from "../runtime/page-provider.js";
import { measuredThreads } from "../runtime/threads.js";
import { designFor, trainingOf } from "./design.js";
import { drawnDataset } from "./drawn-digits.js";
import { LabelScenePainter } from "./label-scene.js";
import type { PageData, Plan } from "./plan.js";
import { ScenePainter, type StagePainter, shownOf } from "./scene.js";

/** What a training needs before its first step. */
export interface Prepared {
  readonly dataset: Dataset;
  readonly design: Design;
  readonly graph: StepGraph;
  /** The training graph, loaded; whoever takes it closes it. */
  readonly engine: StatefulSession;
  /** Draws the scenes; whoever takes it closes it. */
  readonly painter: StagePainter;
}

/** Hears of a preparation. */
export interface Listener {
  /** What is done now. */
  says(what: string): void;
  /** The training images of the scenes, before anything is made of them. */
  shows(real: Dataset): void;
}

export async function datasetOf(data: PageData, seed: number): Promise<Dataset> {
  if (data.kind === "pictures") return data.dataset;
  if (data.kind === "files") return idxDataset(data.images.path, data.images, data.labels);
  return drawnDataset(seed);
}

/** The preparation of a training that may be asked for soon. Nobody hears of it before it is asked for. */
let ahead:
  | { readonly key: string; readonly prepared: Promise<Prepared>; hear(listener: Listener): void }
  | undefined;

/** Prepare a training before it is asked for. What fails then fails again when it is, and is said there. */
export async function prepareAhead(plan: Plan, provider: PageProvider, batchSize: number): Promise<void> {
  // Own files are read when they are needed.
  if (plan.data.kind !== "drawn") return;
  let said = "";
  let listener: Listener | undefined;
  const says = (what: string) => {
    said = what;
    listener?.says(what);
  };
  const prepared = prepare(plan, provider, drawnDataset(plan.seed), says).then(async (ready) => {
    says("Trying one step…");
    await warmUp(ready, plan.seed, batchSize);
    return ready;
  });
  prepared.catch(() => {});
  const hear = (next: Listener) => {
    listener = next;
    next.says(said);
  };
  ahead = { key: keyOf(plan, provider), prepared, hear };
}

/** What a training needs: as it was prepared ahead, or made now. */
export async function preparedFor(plan: Plan, provider: PageProvider, listener: Listener): Promise<Prepared> {
  const dataset = await datasetOf(plan.data, plan.seed);
  listener.shows(shownOf(dataset, plan.seed));
  const before = ahead;
  ahead = undefined;
  if (before?.key === keyOf(plan, provider)) {
    before.hear(listener);
    return before.prepared;
  }
  before?.prepared
    .then(({ engine, painter }) => Promise.all([engine.close(), painter.close()]))
    .catch(() => {});
  return prepare(plan, provider, dataset, listener.says);
}

const keyOf = ({ recipe, settings, learningRate, seed, data, graph }: Plan, provider: PageProvider) =>
  JSON.stringify([
    recipe,
    settings,
    learningRate,
    seed,
    data.kind === "drawn",
    graph === undefined,
    provider,
  ]);

async function prepare(
  plan: Plan,
  provider: PageProvider,
  dataset: Dataset,
  says: Listener["says"],
): Promise<Prepared> {
  const { data, seed } = plan;
  says("Loading ONNX Runtime…");
  const threads = measuredThreads();
  // It comes meanwhile. Whoever opens a model hears of a failure.
  loadRuntime(provider, { threads }).catch(() => {});
  // Other work would be taken for that of a busy machine.
  await threads;
  says("Writing the training graph…");
  const { design } = await designFor(plan, dataset);
  checkLabels(dataset, design.exported.classes, aboutLabels(data));
  const { graph, train } = trainingOf(plan, design);
  const left = graph.model.graph.outputs.map(({ name }) => name).filter((name) => name.startsWith(NEXT));
  says("Loading the training graph into ONNX Runtime…");
  const engine = await openOn(provider, train, left);
  // To draw a scene takes as long as a call of the training: between its parts, requests of the page are handled.
  const open = async (bytes: Uint8Array) => {
    const model = await openOn(provider, bytes);
    const run = async (feeds: Tensors) => {
      await new Promise((resolve) => setTimeout(resolve));
      return model.run(feeds);
    };
    return { run, close: () => model.close() };
  };
  const painter =
    design.exported.kind === "generator"
      ? await ScenePainter.open(design, dataset, open, seed)
      : await LabelScenePainter.open(design, design.exported, { dataset, open, seed });
  return { dataset, design, graph, engine, painter };
}

/** What is said of data without the labels that a recipe needs. */
function aboutLabels(data: PageData) {
  const others = "learn from drawn digits, or choose another recipe";
  if (data.kind === "pictures")
    return { where: `The set of ${data.dataset.count} pictures`, addLabels: others };
  return data.kind === "files"
    ? { where: data.images.path, addLabels: `add the file of labels, ${others}` }
    : {};
}

/** Make and draw one step, and forget it: the first one takes memory and lets the browser compile what it needs. */
async function warmUp({ design, dataset, engine, painter }: Prepared, seed: number, batchSize: number) {
  const keys = { seed, epoch: 1, order: orderOfEpoch(seed, 1, dataset.count) };
  await engine.setState(initialState(design, seed));
  const block = { firstStep: 0, steps: 1, batchSize };
  await engine.consume(feedsOfBlock(batchInputs(design), dataset, keys, block, batchSize));
  await painter.paint(await engine.getState());
}
