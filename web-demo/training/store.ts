import { clear, createStore, get, promisifyRequest, set } from "idb-keyval";
import { GanOnnxError, messageOf } from "../../src/error.js";
import type { Kept, Plan, View } from "./plan.js";

/** The one training that the browser keeps for this page, from one visit to the next, and who may change it. */
export interface TrainingStore {
  /**
   * The right to train, which one tab has at a time. Call the result to give it back.
   *
   * @throws GanOnnxError when another tab has it.
   */
  claim(): Promise<() => void>;
  read(): Promise<Kept | undefined>;
  /** Keep a training in place of the one that was kept. */
  begin(kept: Kept): Promise<void>;
  /** Keep the training as it is asked for from now on. */
  keepPlan(plan: Plan): Promise<void>;
  /**
   * Keep how far it has come, all or nothing.
   *
   * @throws GanOnnxError when another training, or none, is kept by now.
   */
  keepProgress(kept: Required<Kept>): Promise<void>;
  forget(): Promise<void>;
}

/** The browser's database. */
export function browserStore(): TrainingStore {
  const store = createStore("gan-onnx", "training 1");
  /** Change what is kept by one transaction, which leaves everything as it was when it fails. */
  const wholly = (change: (kept: IDBObjectStore) => Promise<void> | void): Promise<void> =>
    store("readwrite", async (kept) => {
      try {
        await change(kept);
      } catch (error) {
        kept.transaction.abort();
        throw error;
      }
      await promisifyRequest(kept.transaction);
    });
  return {
    claim,
    async read() {
      const [plan, view, checkpoint] = await Promise.all([
        get<Plan>("plan", store),
        get<View>("view", store),
        get<Uint8Array<ArrayBuffer>>("checkpoint", store),
      ]);
      return plan && { plan, view, checkpoint };
    },
    begin: ({ plan, view, checkpoint }) =>
      wholly((kept) => {
        kept.clear();
        kept.put(plan, "plan");
        if (view && checkpoint) {
          kept.put(checkpoint, "checkpoint");
          kept.put(view, "view");
        }
      }),
    keepPlan: (plan) => set("plan", plan, store),
    keepProgress: ({ plan, checkpoint, view }) =>
      wholly(async (kept) => {
        const there = await promisifyRequest<Plan | undefined>(kept.get("plan"));
        if (there?.id !== plan.id) throw changedElsewhere();
        kept.put(checkpoint, "checkpoint");
        kept.put(view, "view");
      }),
    forget: () => clear(store),
  };
}

function claim(): Promise<() => void> {
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

/** Why a browser that was asked to keep something did not, in words for people. */
export function whyNotKept(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "QuotaExceededError") return "the storage of this browser is full";
  const denied = ["SecurityError", "InvalidStateError", "NotAllowedError", "UnknownError"].includes(name);
  // Where there is no database, its name is not even defined.
  if (denied || error instanceof ReferenceError || error instanceof TypeError) {
    return "this browser does not let the page keep anything, as in a private window";
  }
  return messageOf(error);
}

/** Why the browser did not keep something, or nothing where it did. */
export async function failureOf(task: () => Promise<void>): Promise<string | undefined> {
  try {
    await task();
    return undefined;
  } catch (error) {
    return whyNotKept(error);
  }
}
