import { idxDataset } from "../../src/data/idx.js";
import type { Picture } from "../../src/data/sheet.js";
import { GanOnnxError, messageOf } from "../../src/error.js";
import { drawingRecipes, type RecipeName, recipes } from "../../src/recipes/index.js";
import { nameOf, offerProviders, type PageProvider } from "../runtime/page-provider.js";
import { workerFailure } from "../runtime/worker-channel.js";
import { drawPicture } from "../sampling/sheet-view.js";
import { createCurves } from "../ui/curves.js";
import { download, find, readSeed, tell } from "../ui/dom.js";
import { type Ports, TrainingControl, type TrainWorker } from "./control.js";
import { isUnderWay, type TrainingState } from "./machine.js";
import { pairIn } from "./mnist-files.js";
import type { PageData, Plan } from "./plan.js";
import { settingsOf } from "./settings.js";
import { browserStore } from "./store.js";
import type { TrainReport } from "./training-worker.js";

const recipeField = find("#recipe", HTMLSelectElement);
const rateField = find("#rate", HTMLInputElement);
const seedField = find("#train-seed", HTMLInputElement);
const providerField = find("#train-provider", HTMLSelectElement);
const filesField = find("#data-files", HTMLInputElement);
const filesButton = find("#choose-data", HTMLButtonElement);
const startButton = find("#start", HTMLButtonElement);
const resetButton = find("#reset", HTMLButtonElement);
const undoButton = find("#undo", HTMLButtonElement);
const cpuButton = find("#on-cpu", HTMLButtonElement);
const useButton = find("#use", HTMLButtonElement);
const downloadButton = find("#download", HTMLButtonElement);
const status = find("#train-status", HTMLElement);
const notKept = find("#not-kept", HTMLElement);
const progress = find("#train-progress", HTMLElement);
const problem = find("#train-problem", HTMLElement);
const view = find("#train-view", HTMLElement);
const canvas = find("#train-view canvas", HTMLCanvasElement);
const curves = createCurves(find("#curves", HTMLElement));

const ownData: PageData = { kind: "drawn" };
let data: PageData = ownData;

const ports: Ports = {
  store: browserStore(),
  openWorker,
  show,
  see,
  recall(kept) {
    curves.clear();
    times.length = 0;
    progress.textContent = kept?.place ?? "";
    if (!kept) return;
    showSheet(kept.sheet);
    curves.append(kept.points);
  },
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};
const control = new TrainingControl(ports);

function openWorker(hear: (report: TrainReport) => void): TrainWorker {
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
  notKept.textContent = state.notKept ? `Nothing is kept when you close this page: ${state.notKept}.` : "";
  // What a field has to say of itself stays.
  if (state.problem !== problemShown) tell(problem, state.problem);
  problemShown = state.problem;
  startButton.textContent = isUnderWay(state) ? "Pause" : made ? "Resume" : "Start";
  // A button that is disabled loses the keyboard.
  for (const button of [startButton, resetButton]) button.ariaDisabled = String(busy);
  if (!made && document.activeElement === resetButton) startButton.focus();
  for (const field of [recipeField, seedField, filesButton]) field.disabled = made;
  for (const button of [resetButton, useButton, downloadButton]) button.disabled = !made;
  undoButton.hidden = !state.undoable;
  cpuButton.hidden = !state.lost;
  view.hidden = !made;
  if (plan?.id !== shown?.id) showPlan(plan);
  shown = plan;
}

/** Show what is trained in the fields that ask for it. */
function showPlan(plan: Plan | undefined): void {
  data = plan?.data ?? ownData;
  if (!plan) nameData("drawn by this page");
  else if (plan.data.kind === "files") nameData(plan.data.images.path);
  if (!plan) return;
  recipeField.value = plan.recipe;
  rateField.value = String(plan.learningRate);
  seedField.value = String(plan.seed);
}

function see(report: Extract<TrainReport, { kind: "steps" | "sheet" }>): void {
  if (report.kind === "sheet") {
    showSheet(report.sheet);
    return;
  }
  curves.append([report.point]);
  const { provider } = control.current;
  progress.textContent = [report.place, rateAfter(report.count), nameOf(provider)].join(" · ");
}

function showSheet(sheet: Picture): void {
  drawPicture(canvas, sheet);
  canvas.style.aspectRatio = `${sheet.width} / ${sheet.height}`;
}

/** Steps made in the last seconds. */
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

/** Do something that may fail, and say why it did. */
async function reporting(task: () => Promise<void> | void): Promise<void> {
  try {
    [problem.textContent, problemShown] = ["", ""];
    await task();
  } catch (error) {
    tell(problem, messageOf(error));
  }
}

/** What the fields ask for. */
function asked(): Plan {
  const learningRate = Number(rateField.value);
  if (!(learningRate > 0 && learningRate < Infinity)) {
    throw new GanOnnxError({
      what: "is not accepted",
      where: `Learning rate ${rateField.value}`,
      fix: "write a number above 0, such as 0.001",
    });
  }
  const id = String(crypto.getRandomValues(new Uint32Array(4)));
  return { id, recipe: recipeField.value as RecipeName, learningRate, seed: readSeed(seedField), data };
}

const chosenProvider = () => providerField.value as PageProvider;

function start(provider: PageProvider): void {
  times.length = 0;
  control.dispatch({ kind: "start", asked: asked(), provider });
}

/** Learn from files of MNIST's form: images, and labels if there are any. */
export async function useDataFiles(files: readonly File[]): Promise<void> {
  await reporting(async () => {
    if (control.current.phase !== "empty") {
      const where = files[0].name;
      throw new GanOnnxError({ what: "another training is there", where, fix: "start over first" });
    }
    const read = async (file: File | undefined) =>
      file && { path: file.name, content: new Uint8Array(await file.arrayBuffer()) };
    const [images, labels] = await Promise.all(pairIn(files).map(read));
    if (!images) {
      const fix = "choose train-images-idx3-ubyte(.gz), and the labels with it if you like";
      throw new GanOnnxError({ what: "holds no images", where: files[0].name, fix });
    }
    const { count } = await idxDataset(images.path, images, labels);
    data = { kind: "files", images, labels };
    nameData(`${count.toLocaleString("en")} of ${images.path}`);
  });
}

function nameData(said: string): void {
  find("#data", HTMLElement).textContent = said;
}

/**
 * Let the page train.
 *
 * @param providers those that the browser has, the one to prefer first.
 * @param draw takes a generator over into the sheet above.
 */
export async function setUpTraining(
  providers: readonly PageProvider[],
  draw: (name: string, bytes: Uint8Array) => void,
): Promise<void> {
  recipeField.replaceChildren(
    ...drawingRecipes.map((name) => new Option(name, name, name === "vanilla", name === "vanilla")),
  );
  const suggestRate = () => {
    const recipe = recipeField.value as RecipeName;
    rateField.value = String(settingsOf({ recipe }).learningRate);
    recipeField.title = recipes[recipe].title;
  };
  suggestRate();
  recipeField.addEventListener("change", suggestRate);
  startButton.addEventListener("click", () =>
    reporting(() => {
      if (isUnderWay(control.current)) control.dispatch({ kind: "pause" });
      else start(chosenProvider());
    }),
  );
  for (const field of [rateField, providerField]) {
    field.addEventListener("change", () =>
      reporting(() => control.dispatch({ kind: "change", asked: asked(), provider: chosenProvider() })),
    );
  }
  resetButton.addEventListener("click", () => control.dispatch({ kind: "startOver" }));
  undoButton.addEventListener("click", () => control.dispatch({ kind: "undo" }));
  cpuButton.addEventListener("click", () => {
    providerField.value = "wasm";
    reporting(() => start("wasm"));
  });
  downloadButton.addEventListener("click", () =>
    reporting(async () => {
      const bytes = await control.generator();
      download(new Blob([bytes], { type: "application/octet-stream" }), "generator.onnx");
    }),
  );
  useButton.addEventListener("click", () =>
    reporting(async () => {
      const name = `trained here (${control.current.plan?.recipe})`;
      draw(name, await control.generator());
    }),
  );
  filesButton.addEventListener("click", () => filesField.click());
  filesField.addEventListener("change", async () => {
    await useDataFiles([...(filesField.files ?? [])]);
    filesField.value = "";
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") control.keep();
  });
  offerProviders(providerField, providers);
  await control.recall();
  startButton.disabled = false;
}
