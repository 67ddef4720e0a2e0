import { GanOnnxError, messageOf } from "../../src/error.js";
import { offerProviders, type PageProvider } from "../runtime/page-provider.js";
import { find, latestOnly, readSeed, tell } from "../ui/dom.js";
import { readSettings, type Settings, writeSettings } from "./address.js";
import { GeneratorWorker } from "./generator-worker.js";
import { layoutOf } from "./layout.js";
import { showModel, showSettings } from "./model-view.js";
import { openModel, type ShownModel, shippedModel, shippedModels } from "./models.js";
import { onStandingStill, setMotion } from "./motion.js";
import { setNumber } from "./number-view.js";
import { feedsOf, type Point } from "./point.js";
import { endsOf, type PlannedSheet, paintedSheet, plannedSheet } from "./sheet.js";
import { type Ends, markEnds, onChoice, reserveSheet, type Sheet, showSheet } from "./sheet-view.js";
import { setDirections, setWalk, startWalk } from "./walk-view.js";
import { bracketed, counted } from "./words.js";

/** The number of directions of the latent space with a slider. */
const DIRECTIONS = 4;
/** The default provider for sheets: every browser has it, and it loads fastest. */
const DRAWS_ON: PageProvider = "wasm";
/** The delay of computations for parts that are not visible at first, in milliseconds. */
const LATER = 500;

const seedField = find("#seed", HTMLInputElement);
const countField = find("#count", HTMLSelectElement);
const digitField = find("#digit", HTMLSelectElement);
const modelField = find("#model", HTMLSelectElement);
const numberField = find("#number", HTMLInputElement);
const providerField = find("#provider", HTMLSelectElement);
const status = find("#status", HTMLElement);
const problem = find("#problem", HTMLElement);

const worker = new GeneratorWorker((share) => {
  // Do not replace an error message by the progress of a download.
  if (!model && !problem.textContent)
    status.textContent = `Loading ONNX Runtime… ${Math.round(100 * share)}%`;
});
let settings: Settings = readSettings(location.search);
let shipped: readonly string[] = [];
/** Models that are not shipped with the page, by name: dropped, or trained here. Links cannot refer to them. */
const own = new Map<string, () => Promise<Uint8Array>>();
let model: ShownModel | undefined;
let planned: PlannedSheet | undefined;
let sheet: Sheet | undefined;
let ends: Ends = { from: 0, to: 1 };

const runOn =
  ({ number, generator, mixes }: ShownModel) =>
  (points: readonly Point[]) =>
    worker.run(number, feedsOf(points, generator, mixes));

/** Draw the sheet for the current settings. */
const draw = latestOnly(() =>
  reporting(async () => {
    if (!model) return;
    const shown = model;
    const { generator, words } = shown;
    const next = plannedSheet(settings, shown);
    const images = await runOn(shown)(next.points);
    // Another model was opened meanwhile, which draws again.
    if (shown.number !== model?.number) return;
    planned = next;
    sheet = paintedSheet(next, images, shown);
    showSheet(sheet);
    setMotion({ model: shown, points: next.points, run: runOn(shown) });
    document.body.classList.toggle("colour", generator.image.channels > 1);
    document.body.classList.add("ready");
    status.textContent = `${counted(next.count, words)} from seed ${settings.seed}.`;
    const [from, to] = settings.walk ?? endsOf(next);
    chooseEnds({ from: Math.min(from, next.count - 1), to: Math.min(to, next.count - 1) });
    setNumber({ model: shown, style: settings.seed, run: runOn(shown) });
  }),
);

function chooseEnds(next: Ends): void {
  if (!model || !planned || !sheet) return;
  ends = next;
  markEnds(ends);
  const [from, to] = [ends.from, ends.to ?? ends.from];
  setWalk({
    generator: model.generator,
    from: planned.points[from],
    to: planned.points[to],
    names: [sheet.names[from], sheet.names[to]],
    run: runOn(model),
  });
}

/** Store settings in the URL, and the name of an own model in the session: the URL cannot contain it. */
function remember(next: Settings, ownModel: string | undefined = ownShown()): void {
  settings = next;
  history.pushState({ own: ownModel }, "", writeSettings(settings));
}

const ownShown = () => (model && own.has(model.name) ? model.name : undefined);
const ownWanted = (): string | undefined => history.state?.own;

/** Apply changed settings: update the URL, the fields and the sheet. */
function change(changes: Partial<Settings>): void {
  remember({ ...settings, ...changes });
  showSettings(settings);
  draw();
}

/** The number of requests to open a model. Only the last request counts. */
let requests = 0;

/** Show a model's name, inputs and sheet. Returns whether no other model was requested meanwhile. */
async function use(name: string, load: () => Promise<Uint8Array>): Promise<boolean> {
  requests += 1;
  const turn = requests;
  const bytes = await load();
  if (turn !== requests) return false;
  const opened = await openModel(worker, name, bytes, providerField.value as PageProvider);
  if (turn !== requests) {
    worker.close(opened.number);
    return false;
  }
  setMotion(undefined);
  setWalk(undefined);
  setDirections([]);
  if (model) worker.close(model.number);
  [model, planned] = [opened, undefined];
  const { number, generator } = model;
  if ((settings.digit ?? 0) >= (generator.classes ?? 0)) settings = { ...settings, digit: undefined };
  showModel(model, settings.digit);
  if (!Array.from(modelField.options).some(({ value }) => value === name)) modelField.add(new Option(name));
  modelField.value = name;
  draw();
  // They take time: show the sheet first.
  setTimeout(async () => {
    if (number !== model?.number) return;
    try {
      const directions = await worker.directions(number, DIRECTIONS);
      if (number === model?.number) setDirections(directions);
    } catch (error) {
      tell(problem, messageOf(error));
    }
  }, LATER);
  return true;
}

/** Run a task that may fail, and show its error. */
async function reporting(task: () => Promise<void>): Promise<void> {
  try {
    problem.textContent = "";
    await task();
  } catch (error) {
    tell(problem, messageOf(error));
    if (model) modelField.value = model.name;
    else status.textContent = "There is not a generator to draw with.";
    document.body.classList.add("ready");
  }
}

/** List a model that is not shipped with the page. */
export function offerModel(name: string, load: () => Promise<Uint8Array>): void {
  own.set(name, load);
  if (!Array.from(modelField.options).some(({ value }) => value === name)) modelField.add(new Option(name));
  // After a reload, the model is available again.
  if (ownWanted() === name && model?.name !== name) reporting(async () => void (await useNamed(name)));
}

/** Draw with a model that is not shipped with the page. */
export function drawWith(name: string, load: () => Promise<Uint8Array>): void {
  reporting(async () => {
    if (!(await use(name, load))) return;
    own.set(name, load);
    remember({ ...settings, model: undefined }, name);
  });
}

/** Draw with a model file. */
export function drawWithFile(file: File): void {
  const name = shipped.includes(file.name) ? `your ${file.name}` : file.name;
  drawWith(name, async () => new Uint8Array(await file.arrayBuffer()));
}

/** The visible sheet and model. */
export interface Shown {
  readonly settings: Settings;
  readonly sheet: Sheet;
  readonly model: ShownModel;
  /** Whether a link includes the model. */
  readonly linked: boolean;
  /** Load the model file. */
  load(): Promise<Uint8Array>;
}

/** The visible sheet and model, if there are any. */
export function shownNow(): Shown | undefined {
  if (!model || !sheet) return undefined;
  const { name } = model;
  return {
    settings,
    sheet,
    model,
    linked: !own.has(name),
    load: own.get(name) ?? (() => shippedModel(name)),
  };
}

function useNamed(name: string): Promise<boolean> {
  return use(name, own.get(name) ?? (() => shippedModel(name)));
}

/** The model of the settings, or the first one if the page does not have it. */
function wantedModel(): string {
  const { model: name } = settings;
  const mine = ownWanted();
  if (mine !== undefined && own.has(mine)) return mine;
  return name !== undefined && shipped.includes(name) ? name : shipped[0];
}

onChoice((index) => {
  const { words } = model ?? {};
  if (ends.to === undefined && words) {
    const { from } = ends;
    chooseEnds({ from, to: index });
    settings = { ...settings, walk: [from, index] };
    history.replaceState(history.state, "", writeSettings(settings));
    status.textContent = `The walk goes from ${bracketed(sheet?.names[from])} to ${bracketed(sheet?.names[index])}.`;
    startWalk();
  } else if (words) {
    chooseEnds({ from: index });
    status.textContent = `Now choose the second ${words.one}.`;
  }
});

find("#new", HTMLButtonElement).addEventListener("click", () =>
  change({ seed: crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000, walk: undefined }),
);
seedField.addEventListener("change", () => reporting(async () => change({ seed: readSeed(seedField) })));
countField.addEventListener("change", () => change({ count: Number(countField.value), walk: undefined }));
digitField.addEventListener("change", () =>
  change({ digit: digitField.value === "" ? undefined : Number(digitField.value), walk: undefined }),
);
numberField.addEventListener("change", () => {
  settings = { ...settings, number: numberField.value.replaceAll(/\D/g, "") || undefined };
  history.replaceState(history.state, "", writeSettings(settings));
});
for (const field of [modelField, providerField]) {
  field.addEventListener("change", () =>
    reporting(async () => {
      const name = modelField.value;
      const changed = name !== model?.name;
      if (!(await useNamed(name)) || !changed) return;
      remember({ ...settings, model: own.has(name) ? undefined : name }, own.has(name) ? name : undefined);
    }),
  );
}
onStandingStill(() => {
  if (sheet) showSheet(sheet);
  markEnds(ends);
});
addEventListener("popstate", () => {
  settings = readSettings(location.search);
  showSettings(settings);
  reporting(async () => {
    if (!model || wantedModel() !== model.name) {
      await useNamed(wantedModel());
      return;
    }
    requests += 1; // Ignore pending requests.
    modelField.value = model.name;
    draw();
  });
});
/** Open the model in the URL. Resolves when a sheet or an error is visible. */
export function openLook(): Promise<void> {
  // Reserve the place of the first model's sheet: ten classes, pictures of 28 by 28.
  const classes = settings.model === "dcgan.onnx" ? undefined : 10;
  const expected = layoutOf(settings.count, classes, settings.digit);
  const rows = Math.ceil(expected.count / expected.columns);
  reserveSheet(expected.columns * 30 + 2, rows * 30 + 2);
  showSettings(settings);
  offerProviders(providerField, [DRAWS_ON]);
  return reporting(async () => {
    shipped = await shippedModels();
    modelField.replaceChildren(...shipped.map((name) => new Option(name)));
    await useNamed(wantedModel());
    const missing = ownWanted() ?? settings.model;
    if (missing === undefined || shipped.includes(missing) || ownWanted()?.startsWith("trained here")) return;
    throw new GanOnnxError({
      what: "is not here",
      where: missing,
      fix: "drop its file here to draw with it: a link cannot bring it",
    });
  });
}

/** List the providers for drawing. */
export function offerDrawingOn(providers: readonly PageProvider[]): void {
  offerProviders(providerField, providers);
  providerField.value = DRAWS_ON;
}
