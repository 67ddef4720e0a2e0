import { clear, createStore, get, set, setMany } from "idb-keyval";
import type { IdxFile } from "../src/training/data/idx.js";
import type { RecipeName } from "../src/training/recipes/index.js";
import type { Picture } from "../src/training/sheet.js";
import type { CurvePoint } from "./curves.js";

/** What a training in the page learns from: digits that it draws itself, or files of MNIST's form. */
export type PageData =
  | { readonly kind: "drawn" }
  | { readonly kind: "files"; readonly images: IdxFile; readonly labels?: IdxFile };

/** A training as it was asked for. */
export interface Plan {
  readonly recipe: RecipeName;
  readonly learningRate: number;
  readonly seed: number;
  readonly data: PageData;
}

/** What there is to see of a training. */
export interface View {
  readonly points: readonly CurvePoint[];
  readonly sheet: Picture;
  /** Where it stands, in words. */
  readonly place: string;
}

/** The one training that the browser keeps for this page, from one visit to the next. */
const store = createStore("gan-onnx", "training 1");

export function keepPlan(plan: Plan): Promise<void> {
  return set("plan", plan, store);
}

/** Keep a checkpoint (as safetensors) and what there is to see of it, both or neither. */
export function keepProgress(checkpoint: Uint8Array<ArrayBuffer>, view: View): Promise<void> {
  return setMany(
    [
      ["checkpoint", checkpoint],
      ["view", view],
    ],
    store,
  );
}

export function keptPlan(): Promise<Plan | undefined> {
  return get("plan", store);
}

export function keptView(): Promise<View | undefined> {
  return get("view", store);
}

export function keptCheckpoint(): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return get("checkpoint", store);
}

export function forget(): Promise<void> {
  return clear(store);
}
