import { type Dataset, mnistForm } from "../src/data/dataset.js";
import { drawDigits } from "../src/data/drawn.js";
import { idxDataset } from "../src/data/idx.js";
import type { Picture } from "../src/data/sheet.js";
import { messageOf } from "../src/error.js";
import { exportGenerator } from "../src/export/generator.js";
import { type Design, designOf } from "../src/recipes/index.js";
import { checkLabels, stepsPerEpoch } from "../src/training/batches.js";
import {
  type Checkpoint,
  checkState,
  decodeCheckpoint,
  encodeCheckpoint,
  startPosition,
} from "../src/training/checkpoint.js";
import { initialState } from "../src/training/state.js";
import { batchInputs } from "../src/training/step-graph.js";
import { train } from "../src/training/trainer.js";
import type { MetricsLine, Progress, Workplace } from "../src/training/training.js";
import { buildTraining } from "../src/training/training-model.js";
import type { CurvePoint } from "./curves.js";
import type { PageProvider } from "./page-provider.js";
import { openOn } from "./runtime.js";
import { settingsOf } from "./training-settings.js";
import {
  keepProgress,
  keptCheckpoint,
  keptPlan,
  keptView,
  type PageData,
  type Plan,
} from "./training-store.js";

/** What the page asks of the worker, which is made for one stretch of a training. */
export type TrainRequest =
  /** Go on with the training that is kept, from its beginning if it has made no step. */
  | { readonly kind: "train"; readonly provider: PageProvider }
  | { readonly kind: "pause" }
  /** Keep what there is: the page may be gone in a moment. */
  | { readonly kind: "keep" }
  | { readonly kind: "generator" };

/** What the worker tells. */
export type TrainReport =
  | { readonly kind: "preparing"; readonly what: string }
  /** So many steps more are made; the point stands for all of them. */
  | { readonly kind: "steps"; readonly count: number; readonly point: CurvePoint; readonly place: string }
  | { readonly kind: "sheet"; readonly sheet: Picture }
  | { readonly kind: "paused" }
  | { readonly kind: "generator"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "failed"; readonly message: string };

/** Digits that are drawn, enough that none is seen too often: a hundred steps make an epoch. */
const DRAWN = 12_800;
const BATCH = 128;
/** How often there is a new sheet, and how often a checkpoint goes to the browser's database, in milliseconds. */
const [SHEET_EVERY, KEEP_EVERY] = [1500, 6000];

const tell = (report: TrainReport) => postMessage(report);
const openOnCpu = (model: Uint8Array) => openOn("wasm", model);

/** A training as it stands, and what is seen of it. */
interface Loaded {
  readonly plan: Plan;
  readonly dataset: Dataset;
  readonly design: Design;
  readonly points: CurvePoint[];
  sheet?: Picture;
  latest: Checkpoint;
}

let loading: Promise<Loaded> | undefined;
const loaded = () => {
  loading ??= load();
  return loading;
};
const pause = new AbortController();

/** The training that is kept, as far as it has come. */
async function load(): Promise<Loaded> {
  const [plan, view, bytes] = await Promise.all([keptPlan(), keptView(), keptCheckpoint()]);
  if (!plan) throw new Error("no training is kept");
  const { recipe, seed } = plan;
  const dataset = await datasetOf(plan.data, seed);
  const design = designOf(recipe, settingsOf(plan), dataset);
  checkLabels(dataset, design.sampler.classes);
  const where = "the training that is kept";
  const kept = bytes && decodeCheckpoint(bytes, where);
  if (kept) checkState(kept, design, where);
  const latest = kept ?? {
    position: startPosition(design, dataset.count, seed),
    state: initialState(design, seed),
  };
  return { plan, dataset, design, latest, points: [...(view?.points ?? [])], sheet: view?.sheet };
}

async function datasetOf(data: PageData, seed: number): Promise<Dataset> {
  if (data.kind === "files") return idxDataset(data.images.path, data.images, data.labels);
  tell({ kind: "preparing", what: "Drawing digits to learn from…" });
  return { name: "drawn", count: DRAWN, ...mnistForm, ...drawDigits({ count: DRAWN, seed }) };
}

async function run(provider: PageProvider): Promise<void> {
  const training = await loaded();
  const { design, dataset, latest: start } = training;
  tell({ kind: "preparing", what: "Writing the training graph, loading ONNX Runtime…" });
  const { graph, train: model } = buildTraining(design);
  let lastKept = performance.now();
  const show = (picture: Picture) => {
    training.sheet = picture;
    tell({ kind: "sheet", sheet: picture });
  };
  const workplace: Workplace = {
    async openEngine(state) {
      const engine = await openOn(provider, model);
      await engine.setState(state);
      return engine;
    },
    openModel: (bytes) => openOn(provider, bytes),
    keeper: {
      begin: async () => {},
      // A run takes the whole worker: between two of them it hears what the page asks.
      metrics: () => new Promise((resolve) => setTimeout(resolve)),
      realImages: async () => {},
      sheet: async (picture) => show(picture),
      preview: show,
      async checkpoint(checkpoint) {
        training.latest = checkpoint;
        if (performance.now() - lastKept < KEEP_EVERY) return;
        lastKept = performance.now();
        await keep(training);
      },
      interval: SHEET_EVERY,
      lastCheckpoint: "this browser",
    },
  };
  const progress = ({ lines, iterations }: Progress) => {
    const point = pointOf(lines, iterations);
    training.points.push(point);
    tell({ kind: "steps", point, count: lines.length, place: placeOf(point.step, lines[0].epoch) });
  };
  const settings = { epochs: Infinity, batchSize: BATCH };
  await train({ design, graph, dataset, start, ...settings }, workplace, progress, pause.signal);
  await keep(training);
  tell({ kind: "paused" });
}

/** One point of the curves for all steps of a run. */
function pointOf(lines: readonly MetricsLine[], iterations: number): CurvePoint {
  const { epoch, iteration, metrics } = lines[lines.length - 1];
  const mean = (name: string) => lines.reduce((sum, line) => sum + line.metrics[name], 0) / lines.length;
  return {
    step: (epoch - 1) * iterations + iteration,
    metrics: Object.fromEntries(Object.keys(metrics).map((name) => [name, mean(name)])),
  };
}

const placeOf = (step: number, epoch: number) => `step ${step}, epoch ${epoch}`;

/** Give the browser what there is, to go on from another day. */
async function keep({ plan, latest, points, sheet, design, dataset }: Loaded): Promise<void> {
  const { epoch, step } = latest.position;
  const made = epoch * stepsPerEpoch(batchInputs(design), dataset.count, BATCH) + step;
  if (!sheet || made === 0) return;
  const place = placeOf(made, step === 0 ? epoch : epoch + 1);
  const kept = points.filter((point) => point.step <= made);
  await keepProgress(plan.id, encodeCheckpoint(latest), { points: kept, sheet, place });
}

/** The generator as it is now, as a file like any other. */
async function generator(): Promise<void> {
  const { plan, design, latest } = await loaded();
  const data = plan.data.kind === "drawn" ? "drawn" : plan.data.images.path;
  tell({ kind: "generator", bytes: await exportGenerator(design, latest, data, openOnCpu) });
}

async function answer(request: TrainRequest): Promise<void> {
  switch (request.kind) {
    case "train":
      return run(request.provider);
    case "pause":
      return pause.abort();
    case "keep":
      return keep(await loaded());
    case "generator":
      return generator();
  }
}

addEventListener("message", async ({ data }: MessageEvent<TrainRequest>) => {
  try {
    await answer(data);
  } catch (error) {
    tell({ kind: "failed", message: messageOf(error) });
  }
});
