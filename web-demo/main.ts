import { paintSheet } from "../src/data/sheet.js";
import { GanOnnxError, messageOf } from "../src/error.js";
import { drawLatents } from "../src/recipes/latents.js";
import { randomStream } from "../src/tensors/random.js";
import { floatsIn, type Tensors } from "../src/tensors/tensor.js";
import { offerProviders, type PageProvider, pageProviders } from "./runtime/page-provider.js";
import { readSettings, type Settings, writeSettings } from "./sampling/address.js";
import { GeneratorWorker } from "./sampling/generator-worker.js";
import { captionOf, type OpenModel, openModel, shippedModel, shippedModels } from "./sampling/models.js";
import { type Ends, markEnds, onChoice, reserveSheet, showSheet } from "./sampling/sheet-view.js";
import { type Point, setDirections, setWalk, startWalk } from "./sampling/walk-view.js";
import { isMnistFile } from "./training/mnist-files.js";
import { download, find, latestOnly, readSeed, tell } from "./ui/dom.js";

/** How many directions of the latent space have a slider. */
const DIRECTIONS = 4;

/** Where sheets are drawn unless another provider is chosen: every browser has it, and it is there soonest. */
const DRAWS_ON: PageProvider = "wasm";

const seedField = find("#seed", HTMLInputElement);
const countField = find("#count", HTMLSelectElement);
const digitField = find("#digit", HTMLSelectElement);
const modelField = find("#model", HTMLSelectElement);
const providerField = find("#provider", HTMLSelectElement);
const fileField = find("#file", HTMLInputElement);
const saveButton = find("#save", HTMLButtonElement);
const caption = find("#caption", HTMLElement);
const status = find("#status", HTMLElement);
const problem = find("#problem", HTMLElement);

const engine = new GeneratorWorker();
let settings: Settings = readSettings(location.search);
let shipped: string[] = [];
let model: OpenModel | undefined;
let feeds: Tensors = new Map();
let ends: Ends = { from: 0, to: 1 };
/** The next digit chosen is where the walk ends, not where it begins. */
let choosingEnd = false;

const columnsOf = (count: number) => Math.ceil(Math.sqrt(count));

/** Draw the sheet that the settings ask for. */
const draw = latestOnly(() =>
  reporting(async () => {
    if (!model) return;
    const { seed, count, digit } = settings;
    const { number, generator } = model;
    const labels = digit === undefined ? undefined : [Math.min(digit, (generator.classes ?? 1) - 1)];
    const next = drawLatents(randomStream(seed, "sample"), count, generator, labels);
    const images = await engine.run(number, next);
    // Another model came meanwhile, and with it another call of this.
    if (number !== model.number) return;
    const columns = columnsOf(count);
    const picture = paintSheet(images, { count, ...generator.image }, { range: generator.range, columns });
    feeds = next;
    showSheet(picture, count, columns);
    document.body.classList.toggle("colour", generator.image.channels > 1);
    document.body.classList.add("ready");
    saveButton.disabled = false;
    status.textContent = `${count} digits from seed ${seed}.`;
    chooseEnds({ from: 0, to: Math.min(1, count - 1) });
    choosingEnd = false;
  }),
);

function chooseEnds(next: Ends): void {
  if (!model) return;
  const { number, generator } = model;
  ends = next;
  markEnds(ends);
  const run = (feeds: Tensors) => engine.run(number, feeds);
  setWalk({ generator, from: pointAt(ends.from), to: pointAt(ends.to), run });
}

function pointAt(index: number): Point {
  const latent = model?.generator.latent ?? 0;
  const z = floatsIn(feeds, "z").subarray(index * latent, (index + 1) * latent);
  return { z, label: (feeds.get("label")?.data as BigInt64Array | undefined)?.[index] };
}

function remember(next: Settings): void {
  settings = next;
  history.pushState(undefined, "", writeSettings(settings));
}

/** Take new settings: into the address, the fields and a new sheet. */
function change(changes: Partial<Settings>): void {
  remember({ ...settings, ...changes });
  showSettings();
  draw();
}

function showSettings(): void {
  const { seed, count, digit } = settings;
  seedField.value = String(seed);
  if (!Array.from(countField.options).some(({ value }) => value === String(count))) {
    countField.add(new Option(String(count)));
  }
  countField.value = String(count);
  digitField.value = digit === undefined ? "" : String(digit);
}

/** How many models were asked for: the last one counts, whichever comes first. */
let asked = 0;

/**
 * Show a model's name, inputs and sheet in place of the one before; returns its bytes, or nothing when another was asked
 * for meanwhile.
 */
async function use(name: string, load: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  asked += 1;
  const turn = asked;
  const bytes = await load();
  if (turn !== asked) return undefined;
  const opened = await openModel(engine, name, bytes, providerField.value as PageProvider);
  if (turn !== asked) {
    engine.close(opened.number);
    return undefined;
  }
  setWalk(undefined);
  setDirections([]);
  if (model) engine.close(model.number);
  model = opened;
  const { number, generator } = model;
  caption.textContent = captionOf(model);
  const classes = Array.from({ length: generator.classes ?? 0 }, (_, i) => new Option(String(i)));
  digitField.replaceChildren(new Option("all", ""), ...classes);
  find("#digit-row", HTMLElement).hidden = generator.classes === undefined;
  if ((settings.digit ?? 0) >= (generator.classes ?? 0)) settings = { ...settings, digit: undefined };
  if (!Array.from(modelField.options).some(({ value }) => value === name)) modelField.add(new Option(name));
  modelField.value = name;
  showSettings();
  draw();
  // They take their time; the sheet does not wait for them.
  reporting(async () => {
    const directions = await engine.directions(number, DIRECTIONS);
    if (number === model?.number) setDirections(directions);
  });
  return bytes;
}

/** Do something that may fail, and say why it did. */
async function reporting(task: () => Promise<void>): Promise<void> {
  try {
    problem.textContent = "";
    await task();
  } catch (error) {
    tell(problem, messageOf(error));
    if (model) modelField.value = model.name;
    else status.textContent = "There is no generator to draw with.";
  }
}

/** Models that were dropped, to choose again. */
const dropped = new Map<string, Uint8Array>();

async function useFile(file: File): Promise<void> {
  const name = shipped.includes(file.name) ? `your ${file.name}` : file.name;
  await useOwn(name, async () => new Uint8Array(await file.arrayBuffer()));
}

/** Draw with a generator that did not come with the page. */
async function useOwn(name: string, load: () => Promise<Uint8Array>): Promise<void> {
  const bytes = await use(name, load);
  if (!bytes) return;
  dropped.set(name, bytes);
  remember({ ...settings, model: name });
}

function useNamed(name: string): Promise<Uint8Array | undefined> {
  return use(name, async () => dropped.get(name) ?? shippedModel(name));
}

/** Whether the page has the model that the settings ask for; those that were dropped are gone after a reload. */
function hasWanted(): boolean {
  const { model: wanted } = settings;
  return wanted === undefined || shipped.includes(wanted) || dropped.has(wanted);
}

/** The model that the settings ask for, or the first one if the page does not have that. */
const wantedModel = () => (hasWanted() ? settings.model : undefined) ?? shipped[0];

onChoice((index) => {
  chooseEnds(choosingEnd ? { from: ends.from, to: index } : { from: index, to: index });
  if (choosingEnd) startWalk();
  choosingEnd = !choosingEnd;
});

find("#new", HTMLButtonElement).addEventListener("click", () =>
  change({ seed: crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000 }),
);
seedField.addEventListener("change", () => reporting(async () => change({ seed: readSeed(seedField) })));
countField.addEventListener("change", () => change({ count: Number(countField.value) }));
digitField.addEventListener("change", () =>
  change({ digit: digitField.value === "" ? undefined : Number(digitField.value) }),
);
for (const field of [modelField, providerField]) {
  field.addEventListener("change", () =>
    reporting(async () => {
      const name = modelField.value;
      const changed = name !== model?.name;
      if ((await useNamed(name)) && changed) remember({ ...settings, model: name });
    }),
  );
}
addEventListener("popstate", () => {
  settings = readSettings(location.search);
  showSettings();
  reporting(async () => {
    if (!model || wantedModel() !== model.name) {
      await useNamed(wantedModel());
      return;
    }
    asked += 1; // Whatever is on its way comes too late.
    modelField.value = model.name;
    draw();
  });
});

saveButton.addEventListener("click", () => {
  find("#sheet canvas", HTMLCanvasElement).toBlob((blob) => {
    if (blob) download(blob, `digits-${settings.seed}.png`);
  });
});

find("#choose", HTMLButtonElement).addEventListener("click", () => fileField.click());
fileField.addEventListener("change", () => {
  const [file] = fileField.files ?? [];
  // The same file again is a choice, too.
  if (file) reporting(() => useFile(file)).then(() => (fileField.value = ""));
});
/** Text that is dragged from one field to another is none of the page's business. */
const bringsFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files");
addEventListener("dragover", (event) => {
  if (!bringsFiles(event)) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) document.body.classList.remove("dropping");
});
addEventListener("drop", (event) => {
  if (!bringsFiles(event)) return;
  event.preventDefault();
  document.body.classList.remove("dropping");
  const files = [...(event.dataTransfer?.files ?? [])];
  // MNIST's files are something to learn from.
  const toLearnFrom = files.filter(isMnistFile);
  const file = files.find(({ name }) => /\.onnx$/i.test(name)) ?? files[0];
  if (toLearnFrom.length > 0) training.then((view) => view?.useDataFiles(toLearnFrom));
  else if (file) reporting(() => useFile(file));
});

{
  const columns = columnsOf(settings.count);
  reserveSheet(columns * 30 + 2, Math.ceil(settings.count / columns) * 30 + 2);
  showSettings();
  offerProviders(providerField, [DRAWS_ON]);
}

const opened = reporting(async () => {
  shipped = await shippedModels();
  modelField.replaceChildren(...shipped.map((name) => new Option(name)));
  await useNamed(wantedModel());
  if (hasWanted()) return;
  const fix = "drop its file here to draw with it";
  throw new GanOnnxError({ what: "is not here", where: String(settings.model), fix });
});

/** What trains is loaded when there is something to look at. */
const training = opened.then(async () => {
  try {
    return await setUpTraining();
  } catch (error) {
    tell(
      find("#train-problem", HTMLElement),
      `Training cannot be loaded (${messageOf(error)}); reload the page`,
    );
    return undefined;
  }
});

async function setUpTraining() {
  const providers = await pageProviders();
  offerProviders(providerField, providers);
  providerField.value = DRAWS_ON;
  const view = await import("./training/training-view.js");
  await view.setUpTraining(providers, (name, bytes) => {
    reporting(() => useOwn(name, async () => bytes));
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
    find("#sheet", HTMLElement).scrollIntoView({ block: "center", behavior });
  });
  return view;
}
