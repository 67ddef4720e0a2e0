import { clear, createStore, get, promisifyRequest, set } from "idb-keyval";
import type { IdxFile } from "../src/data/idx.js";
import type { Picture } from "../src/data/sheet.js";
import { GanOnnxError } from "../src/error.js";
import type { RecipeName } from "../src/recipes/index.js";
import type { CurvePoint } from "./curves.js";

/** What a training in the page learns from: digits that it draws itself, or files of MNIST's form. */
export type PageData =
  | { readonly kind: "drawn" }
  | { readonly kind: "files"; readonly images: IdxFile; readonly labels?: IdxFile };

/** A training as it was asked for. */
export interface Plan {
  /** Tells it from other trainings that the browser kept before it, or keeps after it. */
  readonly id?: string;
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

/** Keep a new training, in place of the one that was kept. */
export function beginPlan(plan: Plan): Promise<void> {
  return wholly((kept) => {
    kept.clear();
    kept.put(plan, "plan");
  });
}

/** Keep the training as it is asked for from now on. */
export function keepPlan(plan: Plan): Promise<void> {
  return set("plan", plan, store);
}

/**
 * Keep a checkpoint (as safetensors) and what there is to see of it, both or neither.
 *
 * @param id the training's.
 * @throws GanOnnxError when another training, or none, is kept by now.
 */
export function keepProgress(id: Plan["id"], checkpoint: Uint8Array<ArrayBuffer>, view: View): Promise<void> {
  return wholly(async (kept) => {
    const plan = await promisifyRequest<Plan | undefined>(kept.get("plan"));
    if (!plan || plan.id !== id) throw changedElsewhere();
    kept.put(checkpoint, "checkpoint");
    kept.put(view, "view");
  });
}

/** The right to train, which one tab has at a time. Call the result to give it back. */
export function claim(): Promise<() => void> {
  // Pages that are not secure have no locks.
  const locks: LockManager | undefined = navigator.locks;
  if (!locks) return Promise.resolve(() => {});
  return new Promise((resolve, reject) => {
    const hold = (lock: Lock | null) => {
      if (lock) return new Promise<void>((end) => resolve(end));
      throw elsewhere("is under way in another tab", "pause it there");
    };
    locks.request("gan-onnx training", { ifAvailable: true }, hold).catch(reject);
  });
}

/** What another tab has done. */
export function changedElsewhere(): GanOnnxError {
  return elsewhere("was changed in another tab", "see what there is now");
}

function elsewhere(what: string, fix: string): GanOnnxError {
  return new GanOnnxError({ what, where: "the training of this browser", fix });
}

/** Change what is kept by one transaction, which leaves everything as it was when it fails. */
function wholly(change: (kept: IDBObjectStore) => Promise<void> | void): Promise<void> {
  return store("readwrite", async (kept) => {
    try {
      await change(kept);
    } catch (error) {
      kept.transaction.abort();
      throw error;
    }
    await promisifyRequest(kept.transaction);
  });
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
