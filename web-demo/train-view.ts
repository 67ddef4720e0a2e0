import { idxDataset } from "../src/data/idx.js";
import type { Picture } from "../src/data/sheet.js";
import { GanOnnxError, messageOf } from "../src/error.js";
import { type RecipeName, recipeNames, recipes } from "../src/recipes/index.js";
import { createCurves } from "./curves.js";
import { download, find, readSeed, tell, workerFailure } from "./dom.js";
import { pairIn } from "./mnist-files.js";
import { nameOf, offerProviders, type PageProvider } from "./page-provider.js";
import { drawPicture } from "./sheet-view.js";
import type { TrainReport, TrainRequest } from "./train-worker.js";
import { settingsOf } from "./training-settings.js";
import {
  beginPlan,
  changedElsewhere,
  claim,
  forget,
  keepPlan,
  keptPlan,
  keptView,
  type PageData,
  type Plan,
} from "./training-store.js";

const recipeField = find("#recipe", HTMLSelectElement);
const rateField = find("#rate", HTMLInputElement);
const seedField = find("#train-seed", HTMLInputElement);
const providerField = find("#train-provider", HTMLSelectElement);
const filesField = find("#data-files", HTMLInputElement);
const filesButton = find("#choose-data", HTMLButtonElement);
const startButton = find("#start", HTMLButtonElement);
const resetButton = find("#reset", HTMLButtonElement);
const useButton = find("#use", HTMLButtonElement);
const downloadButton = find("#download", HTMLButtonElement);
const status = find("#train-status", HTMLElement);
const progress = find("#train-progress", HTMLElement);
const problem = find("#train-problem", HTMLElement);
const view = find("#train-view", HTMLElement);
const canvas = find("#train-view canvas", HTMLCanvasElement);
const curves = createCurves(find("#curves", HTMLElement));

/** `empty`: nothing is trained yet. */
let state: "empty" | "paused" | "starting" | "running" | "stopping" = "empty";
let plan: Plan | undefined;
const ownData: PageData = { kind: "drawn" };
let data: PageData = ownData;
let worker: Worker | undefined;
/** What the worker trains on. */
let provider: PageProvider = "wasm";
/** The rate or the provider was changed: pause as soon as it runs, and go on with the new one. */
let again = false;
/** Gives the right to train back to other tabs, while this one has it. */
let release: (() => void) | undefined;
type Destination = (bytes: Uint8Array<ArrayBuffer>) => void;
/** What becomes of the generators that the worker was asked for, in order. */
const wanted: Destination[] = [];

function enter(next: typeof state, said: string): void {
  state = next;
  status.textContent = said;
  const made = state !== "empty";
  startButton.textContent = state === "running" ? "Pause" : made ? "Go on" : "Start";
  // A button that is disabled loses the keyboard.
  for (const button of [startButton, resetButton]) button.ariaDisabled = String(isBusy());
  if (!made && document.activeElement === resetButton) startButton.focus();
  for (const field of [recipeField, seedField, filesButton]) field.disabled = made;
  for (const button of [resetButton, useButton, downloadButton]) button.disabled = !made;
  view.hidden = !made;
}

const isBusy = () => state === "starting" || state === "stopping";

/** Do something that may fail, and say why it did. */
async function reporting(task: () => Promise<void> | void): Promise<void> {
  try {
    problem.textContent = "";
    await task();
  } catch (error) {
    tell(problem, messageOf(error));
  }
}

/** What the fields ask for. */
function planned(): Plan {
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

async function start(): Promise<void> {
  again = false;
  enter("starting", "Preparing…");
  try {
    const asked = planned();
    await take();
    const next = plan ? { ...plan, learningRate: asked.learningRate } : asked;
    await (plan ? keepPlan(next) : beginPlan(next));
    plan = next;
  } catch (error) {
    // Such as a private window that keeps nothing, or a disk that is full.
    rest(plan ? "Paused." : "");
    throw error;
  }
  worker?.terminate();
  worker = makeWorker();
  provider = providerField.value as PageProvider;
  ask({ kind: "train", provider });
  for (const _ of wanted) ask({ kind: "generator" });
}

function stop(said: string): void {
  enter("stopping", said);
  ask({ kind: "pause" });
}

/**
 * Take the right to train, and see that the browser keeps what this tab shows; other tabs train, and start over, too.
 *
 * @throws GanOnnxError when another tab trains, or something else is kept, which is shown from now on.
 */
async function take(): Promise<void> {
  release ??= await claim();
  const [kept, seen] = await Promise.all([keptPlan(), keptView()]);
  if (plan ? kept && kept.id === plan.id : !kept || !seen) return;
  endWorker();
  clearView();
  await restore();
  throw changedElsewhere();
}

function makeWorker(): Worker {
  const made = new Worker(new URL("./train-worker.ts", import.meta.url), { type: "module" });
  made.addEventListener("message", ({ data }: MessageEvent<TrainReport>) => hear(data));
  made.addEventListener("error", (event) => hear({ kind: "failed", message: workerFailure(event) }));
  return made;
}

function ask(request: TrainRequest): void {
  worker?.postMessage(request);
}

function hear(report: TrainReport): void {
  switch (report.kind) {
    case "preparing":
      status.textContent = report.what;
      break;
    case "steps":
      if (state === "starting") enter("running", "Training.");
      if (state === "running" && again) stop("Changing…");
      curves.append([report.point]);
      progress.textContent = [report.place, rateAfter(report.count), nameOf(provider)].join(" · ");
      break;
    case "sheet":
      show(report.sheet);
      break;
    case "paused":
      if (again) reporting(start);
      else rest("Paused, and kept in this browser.");
      break;
    case "generator":
      wanted.shift()?.(report.bytes);
      break;
    case "failed":
      tell(problem, report.message);
      again = false;
      endWorker();
      rest("Stopped.");
  }
}

/** Nothing is under way any more. */
function rest(said: string): void {
  times.length = 0;
  release?.();
  release = undefined;
  enter(plan ? "paused" : "empty", said);
}

function show(sheet: Picture): void {
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

async function reset(): Promise<void> {
  if (isBusy()) return;
  again = false;
  enter("stopping", "");
  try {
    await take();
    endWorker();
    await forget();
    clearView();
  } finally {
    rest(plan ? "Paused." : "");
  }
}

function endWorker(): void {
  worker?.terminate();
  worker = undefined;
  wanted.length = 0;
}

/** Nothing of a training is shown any more. */
function clearView(): void {
  plan = undefined;
  data = ownData;
  nameData("drawn by this page");
  progress.textContent = "";
  curves.clear();
}

/** Ask for the generator as it is; asking again before it comes is asking once. */
function wantGenerator(then: Destination): void {
  if (wanted.includes(then)) return;
  wanted.push(then);
  worker ??= makeWorker();
  ask({ kind: "generator" });
}

function save(bytes: Uint8Array<ArrayBuffer>): void {
  download(new Blob([bytes], { type: "application/octet-stream" }), "generator.onnx");
}

/** Learn from files of MNIST's form: images, and labels if there are any. */
export async function useDataFiles(files: readonly File[]): Promise<void> {
  await reporting(async () => {
    if (state !== "empty") {
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

/** Show the training that this browser keeps, if it keeps one. */
async function restore(): Promise<void> {
  const [keptOf, kept] = await Promise.all([keptPlan(), keptView()]);
  if (!keptOf || !kept) return;
  plan = keptOf;
  data = plan.data;
  recipeField.value = plan.recipe;
  rateField.value = String(plan.learningRate);
  seedField.value = String(plan.seed);
  if (data.kind === "files") nameData(data.images.path);
  enter("paused", "Kept in this browser from the last time.");
  show(kept.sheet);
  curves.append(kept.points);
  progress.textContent = kept.place;
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
    ...recipeNames.map((name) => new Option(name, name, name === "vanilla", name === "vanilla")),
  );
  const suggestRate = () => {
    const recipe = recipeField.value as RecipeName;
    rateField.value = String(settingsOf({ recipe }).learningRate);
    recipeField.title = recipes[recipe].title;
  };
  suggestRate();
  recipeField.addEventListener("change", suggestRate);
  startButton.addEventListener("click", () => {
    if (state === "running") stop("Pausing…");
    else if (!isBusy()) reporting(start);
  });
  for (const field of [rateField, providerField]) {
    field.addEventListener("change", () =>
      reporting(() => {
        planned();
        if (state !== "starting" && state !== "running") return;
        again = true;
        if (state === "running") stop("Changing…");
      }),
    );
  }
  resetButton.addEventListener("click", () => reporting(reset));
  downloadButton.addEventListener("click", () => wantGenerator(save));
  const drawAbove = (bytes: Uint8Array) => draw(`trained here (${plan?.recipe})`, bytes);
  useButton.addEventListener("click", () => wantGenerator(drawAbove));
  filesButton.addEventListener("click", () => filesField.click());
  filesField.addEventListener("change", async () => {
    await useDataFiles([...(filesField.files ?? [])]);
    filesField.value = "";
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden" && state === "running") ask({ kind: "keep" });
  });
  offerProviders(providerField, providers);
  await reporting(restore);
  startButton.disabled = false;
}
