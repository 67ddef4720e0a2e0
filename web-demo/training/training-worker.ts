import { mnistForm } from "../../src/data/dataset.js";
import { messageOf } from "../../src/error.js";
import { exportNetwork, originalOf } from "../../src/export/network.js";
import { type Design, type ImageShape, imageShapeOf } from "../../src/recipes/index.js";
import { stepsPerEpoch } from "../../src/training/batches.js";
import {
  type Checkpoint,
  checkState,
  decodeCheckpoint,
  encodeCheckpoint,
  startPosition,
} from "../../src/training/checkpoint.js";
import { manifestOf } from "../../src/training/manifest.js";
import { decodeStart } from "../../src/training/start.js";
import { initialState } from "../../src/training/state.js";
import { batchInputs } from "../../src/training/step-graph.js";
import { train } from "../../src/training/trainer.js";
import type { MetricsLine, Progress, Workplace } from "../../src/training/training.js";
import { DeviceLost, openOn } from "../runtime/onnxruntime.js";
import type { PageProvider } from "../runtime/page-provider.js";
import type { CurvePoint } from "../ui/curves.js";
import { designFor, trainingOf } from "./design.js";
import type { PageData, Plan } from "./plan.js";
import { datasetOf, prepareAhead, preparedFor } from "./preparation.js";
import type { Scene } from "./scene.js";
import { settingsOf } from "./settings.js";

/** A training as known to the page: its plan and its progress. */
interface Known {
  readonly plan: Plan;
  readonly checkpoint?: Uint8Array<ArrayBuffer>;
}

/** What the page asks of the worker. */
export type TrainRequest =
  /** A training may be asked for soon. */
  | { readonly kind: "prepare"; readonly plan: Plan; readonly provider: PageProvider }
  | (Known & { readonly kind: "train"; readonly provider: PageProvider })
  | { readonly kind: "pause" }
  | { readonly kind: "pace"; readonly pace: Pace }
  /** Report the progress: the page may be closed at any moment. */
  | { readonly kind: "keep" }
  | (Known & { readonly kind: "files"; readonly what: TrainingFiles });

/** `generator.onnx` of the current state; `train.onnx` and its manifest. */
export type TrainingFiles = "generator" | "graph";

/** A report of the worker. */
export type TrainReport =
  | { readonly kind: "preparing"; readonly what: string }
  /** The number of new steps. The point represents all of them. */
  | { readonly kind: "steps"; readonly count: number; readonly point: CurvePoint; readonly place: string }
  /** The training images of the scenes, which come later. */
  | { readonly kind: "real"; readonly image: ImageShape; readonly images: Uint8Array<ArrayBuffer> }
  | { readonly kind: "scene"; readonly scene: Scene; readonly step: number }
  /** The progress: the number of steps, and what to store. */
  | {
      readonly kind: "progress";
      readonly made: number;
      readonly checkpoint: Uint8Array<ArrayBuffer>;
      readonly scene: Scene;
      readonly place: string;
    }
  /** A pause was requested, and no step follows. The progress comes next, then `paused`. */
  | { readonly kind: "stopped" }
  | { readonly kind: "paused" }
  | { readonly kind: "files"; readonly files: readonly Uint8Array<ArrayBuffer>[] }
  | { readonly kind: "noFiles"; readonly message: string }
  | { readonly kind: "failed" | "lost"; readonly message: string };

const BATCH = 128;
/** The pace: `slow` waits after each call of ONNX Runtime, `fast` draws fewer scenes. */
const paces = {
  slow: { wait: 600, scenes: 0 },
  normal: { wait: 0, scenes: 700 },
  fast: { wait: 0, scenes: 4000 },
} as const;
export type Pace = keyof typeof paces;
/**
 * How long a call may take, and how often the page is told how far the training is, in milliseconds. A pause waits for
 * the call that is under way, on a GPU also for the one behind it.
 */
const [LONGEST_CALL, TELL_EVERY] = [100, 6000];

const tell = (report: TrainReport, transfer: Transferable[] = []) => postMessage(report, { transfer });
const openOnCpu = (model: Uint8Array) => openOn("wasm", model);
let pause = new AbortController();
let pace: Pace = "normal";
/** Ends the wait between two calls. */
let endWait = () => {};

/** The running training, with its progress. */
let running: { readonly plan: Plan; readonly latest: () => Checkpoint; tellProgress(): void } | undefined;

async function run({ plan, checkpoint }: Known, provider: PageProvider): Promise<void> {
  pause = new AbortController();
  const { signal } = pause;
  const says = (what: string) => tell({ kind: "preparing", what });
  const { dataset, design, graph, engine, painter } = await preparedFor(plan, provider, {
    says,
    shows(real) {
      if (checkpoint || plan.recipe === "classifier") return;
      tell({ kind: "real", image: imageShapeOf(real), images: new Uint8Array(real.images) });
    },
  });
  says("Starting the training…");
  const start = standingOf({ plan, checkpoint }, design, dataset.count);
  const perEpoch = stepsPerEpoch(batchInputs(design), dataset.count, BATCH);
  let latest = start;
  let scene: Scene | undefined;
  let lastTold = performance.now();
  const tellProgress = () => {
    const { epoch, step } = latest.position;
    const kept = epoch * perEpoch + step;
    if (!scene || kept === 0) return;
    const place = placeOf(kept, step === 0 ? epoch : epoch + 1);
    const bytes = encodeCheckpoint(latest);
    tell({ kind: "progress", made: kept, checkpoint: bytes, scene, place }, [bytes.buffer]);
    lastTold = performance.now();
  };
  running = { plan, latest: () => latest, tellProgress };
  let made = 0;
  const show = (painted: Scene) => {
    scene = painted;
    tell({ kind: "scene", scene, step: made });
  };
  const workplace: Workplace = {
    async openEngine(state) {
      await engine.setState(state);
      return engine;
    },
    openModel: (bytes) => openOn(provider, bytes),
    async openPainter() {
      painter.show = show;
      made = start.position.epoch * perEpoch + start.position.step;
      // Show what it draws before training.
      await painter.paint(start.state);
      return painter;
    },
    longestCall: LONGEST_CALL,
    keeper: {
      begin: async () => {},
      // A call occupies the whole worker. Handle requests of the page between two calls.
      metrics: () =>
        new Promise((resolve) => {
          endWait = resolve;
          setTimeout(resolve, signal.aborted ? 0 : paces[pace].wait);
        }),
      lastStep: () => tell({ kind: "stopped" }),
      realImages: async () => {},
      // The painter shows the scenes itself.
      sheet: async () => {},
      preview: () => {},
      async checkpoint(checkpoint) {
        latest = checkpoint;
        if (performance.now() - lastTold >= TELL_EVERY) tellProgress();
      },
      get interval() {
        return paces[pace].scenes;
      },
      lastCheckpoint: "this browser",
    },
  };
  const progress = ({ lines, stepsInEpoch }: Progress) => {
    const point = pointOf(lines, stepsInEpoch);
    made = point.step;
    tell({ kind: "steps", point, count: lines.length, place: placeOf(point.step, lines[0].epoch) });
  };
  const settings = { epochs: Infinity, batchSize: BATCH };
  await train({ design, graph, dataset, start, ...settings }, workplace, progress, signal);
  tellProgress();
  tell({ kind: "paused" });
}

/** Where a training stands: at its checkpoint, or its beginning. */
function standingOf({ plan, checkpoint }: Known, design: Design, images: number): Checkpoint {
  const { seed } = plan;
  const where = "the training that is kept";
  const kept = checkpoint && decodeCheckpoint(checkpoint, where);
  if (kept) checkState(kept, design, where);
  if (kept) return kept;
  const weights = plan.graph?.start;
  const state = weights ? decodeStart(weights.bytes, weights.file, design, seed) : initialState(design, seed);
  return { position: startPosition(design, images, seed), state };
}

/** One point of the curves for all steps of a call. */
function pointOf(lines: readonly MetricsLine[], stepsInEpoch: number): CurvePoint {
  const { epoch, step, metrics } = lines[lines.length - 1];
  const mean = (name: string) => lines.reduce((sum, line) => sum + line.metrics[name], 0) / lines.length;
  return {
    step: (epoch - 1) * stepsInEpoch + step,
    metrics: Object.fromEntries(Object.keys(metrics).map((name) => [name, mean(name)])),
  };
}

const placeOf = (step: number, epoch: number) => `step ${step}, epoch ${epoch}`;

async function files(known: Known, what: TrainingFiles): Promise<void> {
  try {
    const files = what === "generator" ? [await generator(known)] : await graphFiles(known);
    tell(
      { kind: "files", files },
      files.map(({ buffer }) => buffer),
    );
  } catch (error) {
    tell({ kind: "noFiles", message: messageOf(error) });
  }
}

/** The generator of the current state as a file. Training data are not needed. */
async function generator(known: Known): Promise<Uint8Array<ArrayBuffer>> {
  const { plan } = known;
  const latest = running?.latest() ?? (await standing(known));
  const { design, files } = await designFor(plan, latest.position);
  return exportNetwork(design, latest, sourceOf(plan.data), openOnCpu, originalOf(design, files));
}

/** The training graph, and the manifest that describes its inputs. */
async function graphFiles(known: Known): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const { plan } = known;
  const { position } = running?.latest() ?? (await standing(known));
  const settings = settingsOf(plan);
  const { design, files } = await designFor(plan, position);
  const { graph, train } = trainingOf(plan, design);
  const { recipe, seed, data } = plan;
  const { fresh, freeze, start } = plan.graph ?? {};
  const init = start?.file;
  const configuration = {
    recipe,
    data: sourceOf(data),
    seed,
    batchSize: BATCH,
    fresh,
    freeze,
    init,
    ...settings,
  };
  // Insecure pages cannot compute it.
  const digest = await crypto.subtle?.digest("SHA-256", train);
  const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const manifest = manifestOf(
    design,
    configuration,
    graph,
    { bytes: train.length, sha256 },
    { files, start: start?.bytes },
  );
  return [train, new TextEncoder().encode(manifest)];
}

function sourceOf(data: PageData): string {
  if (data.kind === "drawn") return "drawn";
  return data.kind === "pictures" ? data.dataset.name : data.images.path;
}

/** The checkpoint of a training that is not running. */
async function standing(known: Known): Promise<Checkpoint> {
  if (known.checkpoint) return decodeCheckpoint(known.checkpoint, "the training that is kept");
  const { data } = known.plan;
  const image = data.kind === "drawn" ? mnistForm : await datasetOf(data, 0);
  return standingOf(known, (await designFor(known.plan, image)).design, 0);
}

async function answer(request: TrainRequest): Promise<void> {
  switch (request.kind) {
    case "prepare":
      return prepareAhead(request.plan, request.provider, BATCH);
    case "train":
      return run(request, request.provider);
    case "pause":
      pause.abort();
      return endWait();
    case "pace":
      pace = request.pace;
      return;
    case "keep":
      return running?.tellProgress();
    case "files":
      return files(request, request.what);
  }
}

addEventListener("message", async ({ data }: MessageEvent<TrainRequest>) => {
  try {
    await answer(data);
  } catch (error) {
    if (!(error instanceof DeviceLost)) return tell({ kind: "failed", message: messageOf(error) });
    // The results up to the last sheet are in this worker, not on the GPU.
    running?.tellProgress();
    tell({ kind: "lost", message: error.message });
  }
});
