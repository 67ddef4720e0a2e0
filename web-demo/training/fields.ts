import { GanOnnxError } from "../../src/error.js";
import { type RecipeName, recipeNames, recipes, withClasses } from "../../src/recipes/index.js";
import { offerProviders, type PageProvider } from "../runtime/page-provider.js";
import { find, readSeed } from "../ui/dom.js";
import { dataIn, nameOfData } from "./data-files.js";
import { aboutGraph } from "./graph-files.js";
import type { PageData, Plan } from "./plan.js";
import { presets } from "./presets.js";
import { settingsOf } from "./settings.js";

const recipeField = find("#recipe", HTMLSelectElement);
const rateField = find("#rate", HTMLInputElement);
const seedField = find("#train-seed", HTMLInputElement);
const providerField = find("#train-provider", HTMLSelectElement);
const filesField = find("#data-files", HTMLInputElement);
const filesButton = find("#choose-data", HTMLButtonElement);
const drawnButton = find("#drawn-data", HTMLButtonElement);
const presetList = find("#presets", HTMLElement);
const presetAbout = find("#preset-about", HTMLElement);

const ownData: PageData = { kind: "drawn" };
let data: PageData = ownData;
/** The settings of the selected preset; undefined if the recipe was selected directly. */
let settings: Plan["settings"] = presets[0].settings;

/**
 * The plan in the fields.
 *
 * @throws {@link GanOnnxError} when a field is invalid.
 */
export function asked(): Plan {
  const learningRate = Number(rateField.value);
  if (!(learningRate > 0 && learningRate < Infinity)) {
    throw new GanOnnxError({
      what: "is not accepted",
      where: `Learning rate ${rateField.value}`,
      fix: "write a number above 0, such as 0.001",
    });
  }
  const id = String(crypto.getRandomValues(new Uint32Array(4)));
  const recipe = recipeField.value as RecipeName;
  const seed = readSeed(seedField);
  return { id, recipe, settings: settingsFor(recipe, data), learningRate, seed, data };
}

/** The chosen settings, with the number of classes of files if the recipe needs one. */
function settingsFor(recipe: RecipeName, data: PageData): Plan["settings"] {
  const classes = data.kind === "files" ? data.classes : undefined;
  const own: Readonly<Record<string, unknown>> = settings ?? {};
  const told = withClasses(recipes[recipe], own, classes);
  return told.classes === own.classes ? settings : told;
}

export const chosenProvider = () => providerField.value as PageProvider;

/** Train on another provider. */
export function chooseProvider(provider: PageProvider): void {
  providerField.value = provider;
}

/** Lock the fields that cannot change during a training. */
export function lockFields(locked: boolean): void {
  const buttons = Array.from(presetList.querySelectorAll("button"));
  for (const field of [recipeField, seedField, filesButton, drawnButton, ...buttons]) field.disabled = locked;
  find("#locked", HTMLElement).hidden = !locked;
}

/** Show a plan in the fields. Without one they stay, for the next training. */
export function showPlan(plan: Plan | undefined): void {
  if (!plan) {
    showPreset();
    return;
  }
  setData(plan.data);
  settings = plan.settings;
  recipeField.value = plan.recipe;
  rateField.value = String(plan.learningRate);
  seedField.value = String(plan.seed);
  showPreset();
  if (plan.graph) presetAbout.textContent = aboutGraph(plan.graph);
}

/**
 * Train with files: MNIST's, or pictures.
 *
 * @throws {@link GanOnnxError} when a file is not usable.
 */
export async function learnFrom(files: readonly File[]): Promise<void> {
  setData(await dataIn(files));
}

async function setData(next: PageData): Promise<void> {
  data = next;
  drawnButton.hidden = next.kind === "drawn";
  const name = await nameOfData(next);
  if (data === next) find("#data", HTMLElement).textContent = name;
}

const sameSettings = (a: Plan["settings"], b: Plan["settings"]) => JSON.stringify(a) === JSON.stringify(b);

/** Mark the preset that matches the fields, if there is one. */
function showPreset(): void {
  const chosen = presets.find(
    ({ recipe, settings: own }) => recipe === recipeField.value && sameSettings(own, settings),
  );
  for (const button of presetList.querySelectorAll("button")) {
    button.ariaPressed = String(button.dataset.preset === chosen?.id);
  }
  presetAbout.textContent = chosen?.about ?? recipes[recipeField.value as RecipeName].title;
}

function suggestRate(): void {
  const recipe = recipeField.value as RecipeName;
  rateField.value = String(settingsOf({ recipe, settings }).learningRate);
  showPreset();
}

/** Fill the fields. Reports changes of fields that may change during a training, and selected files. */
export function setUpFields(
  providers: readonly PageProvider[],
  { changed, chose }: { changed(): void; chose(files: readonly File[]): void },
): void {
  recipeField.replaceChildren(...recipeNames.map((name) => new Option(name)));
  recipeField.value = presets[0].recipe;
  presetList.append(
    ...presets.map(({ id, title, recipe, settings: own }) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: title });
      button.dataset.preset = id;
      button.addEventListener("click", () => {
        recipeField.value = recipe;
        settings = own;
        suggestRate();
      });
      return button;
    }),
  );
  suggestRate();
  recipeField.addEventListener("change", () => {
    settings = undefined;
    suggestRate();
  });
  for (const field of [rateField, providerField]) field.addEventListener("change", changed);
  filesButton.addEventListener("click", () => filesField.click());
  drawnButton.addEventListener("click", () => {
    setData(ownData);
    filesButton.focus();
  });
  filesField.addEventListener("change", () => {
    chose([...(filesField.files ?? [])]);
    filesField.value = "";
  });
  offerProviders(providerField, providers);
}
