import { GanOnnxError, messageOf } from "../../src/error.js";
import { nameOf, type PageProvider } from "../runtime/page-provider.js";
import { workerFailure } from "../runtime/worker-channel.js";
import { animationOf } from "../take/animation.js";
import type { Watched } from "../take/take-view.js";
import { createCurves } from "../ui/curves.js";
import { download, find, tell } from "../ui/dom.js";
import { rememberNotes } from "../ui/notes.js";
import { setWorking } from "../ui/working.js";
import { TrainingControl } from "./control.js";
import {
  asked,
  chooseProvider,
  chosenProvider,
  learnFrom,
  lockFields,
  setUpFields,
  showPlan,
} from "./fields.js";
import { graphIn, planOfGraph } from "./graph-files.js";
import { isUnderWay, type TrainingState } from "./machine.js";
import { metricNames } from "./metric-names.js";
import type { Plan } from "./plan.js";
import type { Ports, TrainWorker } from "./ports.js";
import { clearStage, momentsSoFar, pictureOf, showReal, showScene } from "./stage-view.js";
import { browserStore } from "./store.js";
import type { Pace, TrainReport } from "./training-worker.js";

const startButton = find("#start", HTMLButtonElement);
const watchButton = find("#watch", HTMLButtonElement);
const resetButton = find("#reset", HTMLButtonElement);
const undoButton = find("#undo", HTMLButtonElement);
const cpuButton = find("#on-cpu", HTMLButtonElement);
const useButton = find("#use", HTMLButtonElement);
const downloadButton = find("#download", HTMLButtonElement);
const paceField = find("#pace", HTMLSelectElement);
const status = find("#train-status", HTMLElement);
const notKept = find("#not-kept", HTMLElement);
const progress = find("#train-progress", HTMLElement);
const problem = find("#train-problem", HTMLElement);
const view = find("#train-view", HTMLElement);
const curves = createCurves(find("#curves", HTMLElement), metricNames);

/** The functions of the rest of the page that a training uses. */
export interface Surroundings {
  /** Draw with a generator in the sheet above. */
  drawWith(name: string, load: () => Promise<Uint8Array>): void;
  /** List a generator for drawing. */
  offerModel(name: string, load: () => Promise<Uint8Array>): void;
  /** Report whether training uses the machine. */
  setBusy(busy: boolean): void;
}
let surroundings: Surroundings | undefined;

const ports: Ports = {
  store: browserStore(),
  openWorker,
  show,
  see(report) {
    if (report.kind === "scene") showScene(report.step, report.scene);
    else if (report.kind === "real") showReal(report.image, report.images);
    else {
      curves.append([report.point]);
      const { provider } = control.current;
      progress.textContent = [report.place, rateAfter(report.count), nameOf(provider)].join(" · ");
    }
  },
  recall(kept) {
    curves.clear();
    clearStage();
    times.length = 0;
    progress.textContent = kept?.place ?? "";
    if (!kept) return;
    curves.append(kept.points);
    // Older versions of the page did not store the scene.
    if (kept.scene) showScene(kept.points.at(-1)?.step ?? 0, kept.scene);
  },
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};
const control = new TrainingControl(ports);

function openWorker(hear: (report: TrainReport) => void): TrainWorker {
  // Keep this in one expression: the bundler recognizes a worker by it.
  const worker = new Worker(new URL("./training-worker.ts", import.meta.url), {
    type: "module",
    name: "training",
  });
  worker.addEventListener("message", ({ data }: MessageEvent<TrainReport>) => hear(data));
  worker.addEventListener("error", (event) => hear({ kind: "failed", message: workerFailure(event) }));
  return { ask: (request) => worker.postMessage(request), end: () => worker.terminate() };
}

let shown: Plan | undefined;
let problemShown = "";

function show(state: TrainingState): void {
  const { phase, plan } = state;
  const made = phase !== "empty";
  const busy = phase === "pausing" || phase === "removing";
  if (status.textContent !== state.said) status.textContent = state.said;
  setWorking(status, busy || phase === "preparing");
  notKept.textContent = state.notKept ? `Nothing is kept when you close this page: ${state.notKept}.` : "";
  // Keep the message of a field.
  if (state.problem !== problemShown) tell(problem, state.problem);
  problemShown = state.problem;
  const underWay = isUnderWay(state);
  startButton.textContent = underWay ? "Pause" : made ? "Resume" : "Watch it learn";
  watchButton.textContent = underWay ? "It learns below" : made ? "Resume learning" : "Watch it learn";
  surroundings?.setBusy(underWay);
  // A disabled button would lose the keyboard focus.
  for (const button of [startButton, resetButton]) button.ariaDisabled = String(busy);
  if (!made && document.activeElement === resetButton) startButton.focus();
  for (const button of [resetButton, useButton, downloadButton]) button.disabled = !made;
  lockFields(made);
  undoButton.hidden = !state.undoable;
  cpuButton.hidden = !state.lost;
  view.hidden = !made;
  if (plan?.id === shown?.id) return;
  shown = plan;
  showPlan(plan);
  const classifies = plan?.recipe === "classifier";
  useButton.hidden = classifies;
  downloadButton.textContent = `Download ${fileOf(plan)}`;
  if (plan && !state.fresh && !classifies) surroundings?.offerModel(ownName(plan), generatorNow);
}

const generatorNow = async () => (await control.files("generator"))[0];
/** The name of the file that a training exports. */
const fileOf = (plan: Plan | undefined) =>
  plan?.recipe === "classifier" ? "classifier.onnx" : "generator.onnx";
const ownName = ({ recipe }: Plan) => `trained here (${recipe})`;

/** The steps of the last seconds. */
const times: { readonly at: number; readonly count: number }[] = [];

function rateAfter(count: number): string {
  times.push({ at: performance.now(), count });
  while (times.length > 2 && times[times.length - 1].at - times[1].at > 4000) times.shift();
  const [first, ...rest] = times;
  if (rest.length === 0) return "measuring";
  const seconds = (times[times.length - 1].at - first.at) / 1000;
  const rate = rest.reduce((sum, { count }) => sum + count, 0) / seconds;
  return `${rate.toPrecision(2)} steps a second`;
}

/** Run a task that may fail, and show its error. */
async function reporting(task: () => Promise<void> | void): Promise<void> {
  try {
    [problem.textContent, problemShown] = ["", ""];
    await task();
  } catch (error) {
    tell(problem, messageOf(error));
  }
}

function start(provider: PageProvider): void {
  times.length = 0;
  control.dispatch({ kind: "start", asked: asked(), provider });
}

/** Start, pause or resume. */
function toggle(): void {
  reporting(() => {
    if (isUnderWay(control.current)) control.dispatch({ kind: "pause" });
    else start(chosenProvider());
  });
}

/** Whoever moves or types on the page may want to see it learn: what that needs is made then, and not for each visit. */
function prepareSoon(): void {
  const signs = ["pointermove", "pointerdown", "keydown", "scroll"];
  const prepare = () => {
    for (const sign of signs) removeEventListener(sign, prepare);
    // What the fields hold that cannot be trained is said when it is asked for.
    try {
      control.prepare(asked(), chosenProvider());
    } catch {}
  };
  for (const sign of signs) addEventListener(sign, prepare, { passive: true });
}

/** Learn from files: MNIST's, or pictures. */
export async function useDataFiles(files: readonly File[]): Promise<void> {
  await reporting(async () => {
    refuseAnother(files);
    await learnFrom(files);
    find("#presets", HTMLElement).scrollIntoView({ block: "nearest" });
  });
}

/** Train the graph in `train.onnx` and its manifest. */
export async function useGraphFiles(files: readonly File[]): Promise<void> {
  await reporting(async () => {
    refuseAnother(files);
    const plan = planOfGraph(await graphIn(files), asked());
    times.length = 0;
    control.dispatch({ kind: "start", asked: plan, provider: chosenProvider() });
    find("#train", HTMLElement).scrollIntoView({ block: "nearest" });
  });
}

function refuseAnother([{ name: where }]: readonly File[]): void {
  if (control.current.phase === "empty") return;
  throw new GanOnnxError({ what: "another training is there", where, fix: "start over first" });
}

const binary = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes], { type: "application/octet-stream" });

/** The downloads of the training. */
export const watched: Watched = {
  animation: () => animationOf(momentsSoFar().map(pictureOf)),
  async graph() {
    if (!control.current.plan) return undefined;
    const [train, manifest] = await control.files("graph");
    return [binary(train), new Blob([manifest], { type: "application/json" })];
  },
};

/**
 * Set up training on the page.
 *
 * @param providers those that the browser has, the preferred one first.
 */
export async function setUpTraining(providers: readonly PageProvider[], around: Surroundings): Promise<void> {
  surroundings = around;
  setUpFields(providers, {
    changed: () =>
      reporting(() => control.dispatch({ kind: "change", asked: asked(), provider: chosenProvider() })),
    chose: useDataFiles,
  });
  rememberNotes();
  startButton.addEventListener("click", toggle);
  watchButton.addEventListener("click", () => {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!isUnderWay(control.current)) toggle();
    find("#train", HTMLElement).scrollIntoView({ behavior: calm ? "auto" : "smooth" });
    startButton.focus({ preventScroll: true });
  });
  resetButton.addEventListener("click", () => control.dispatch({ kind: "startOver" }));
  undoButton.addEventListener("click", () => control.dispatch({ kind: "undo" }));
  cpuButton.addEventListener("click", () => {
    chooseProvider("wasm");
    reporting(() => start("wasm"));
  });
  paceField.addEventListener("change", () => control.setPace(paceField.value as Pace));
  downloadButton.addEventListener("click", () =>
    reporting(async () => {
      download(binary(await generatorNow()), fileOf(control.current.plan));
    }),
  );
  useButton.addEventListener("click", () =>
    reporting(async () => {
      const { plan } = control.current;
      if (!plan) return;
      const bytes = await generatorNow();
      around.drawWith(ownName(plan), async () => bytes);
      find("#sheet", HTMLElement).scrollIntoView({ block: "center" });
    }),
  );
  addEventListener("keydown", (event) => {
    const { target, code } = event;
    // A slider has no use for the space key.
    const users = 'a, button, input:not([type="range"]), select, textarea, summary';
    const taken = target instanceof Element && target.closest(users);
    if (code !== "Space" || taken || control.current.phase === "empty") return;
    event.preventDefault();
    toggle();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") control.keep();
    // The page may have been frozen: measure the speed anew.
    else times.length = 0;
  });
  await control.recall();
  prepareSoon();
  startButton.disabled = watchButton.disabled = false;
}
