import { clear, createStore, get, promisifyRequest, set } from "idb-keyval";
import { GanOnnxError, messageOf } from "../../src/error.js";
import type { Kept, Plan, View } from "./plan.js";

/** Stores the page's only training between visits, and decides which tab may change it. */
export interface TrainingStore {
  /**
   * Claim the right to train, which only one tab can have. Call the result to release it.
   *
   * @throws {@link GanOnnxError} when another tab has it.
   */
  claim(): Promise<() => void>;
  read(): Promise<Kept | undefined>;
  /** Store a training in place of the stored one. */
  begin(kept: Kept): Promise<void>;
  /** Store a changed plan of the training. */
  keepPlan(plan: Plan): Promise<void>;
  /**
   * Store the progress, in one transaction.
   *
   * @throws {@link GanOnnxError} when another training, or none, is stored now.
   */
  keepProgress(kept: Required<Kept>): Promise<void>;
  forget(): Promise<void>;
}

/** The store in the browser's database. */
export function browserStore(): TrainingStore {
  const store = createStore("gan-onnx", "training 1");
  /** Change the stored training in one transaction. If it fails, nothing changes. */
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
        const stored = await promisifyRequest<Plan | undefined>(kept.get("plan"));
        if (stored?.id !== plan.id) throw changedElsewhere();
        kept.put(checkpoint, "checkpoint");
        kept.put(view, "view");
      }),
    forget: () => clear(store),
  };
}

function claim(): Promise<() => void> {
  // Insecure pages have no locks.
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

/** The error when another tab has changed the stored training. */
export function changedElsewhere(): GanOnnxError {
  return elsewhere("was changed in another tab", "see what there is now");
}

function elsewhere(what: string, fix: string): GanOnnxError {
  return new GanOnnxError({ what, where: "the training of this browser", fix });
}

/** Why the browser could not store something, in plain words. */
export function whyNotKept(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "QuotaExceededError") return "the storage of this browser is full";
  const denied = ["SecurityError", "InvalidStateError", "NotAllowedError", "UnknownError"].includes(name);
  // Without a database, its name is not defined.
  if (denied || error instanceof ReferenceError || error instanceof TypeError) {
    return "this browser does not let the page keep anything, as in a private window";
  }
  return messageOf(error);
}

/** Run a task that stores something. Returns the reason if it fails. */
export async function failureOf(task: () => Promise<void>): Promise<string | undefined> {
  try {
    await task();
    return undefined;
  } catch (error) {
    return whyNotKept(error);
  }
}
