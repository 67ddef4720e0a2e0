import type { PageProvider } from "../runtime/page-provider.js";
import type { Plan } from "./plan.js";
import { PAUSED, PAUSED_AND_KEPT } from "./said.js";

/** `empty`: there is no training. */
export type Phase = "empty" | "preparing" | "training" | "pausing" | "removing" | "paused";

/** The state of the page's training. */
export interface TrainingState {
  readonly phase: Phase;
  /** The plan, from its request until it is removed. */
  readonly plan?: Plan;
  /** The plan was requested and has not started yet. */
  readonly fresh: boolean;
  /** The training has made a step, now or in an earlier visit. */
  readonly begun: boolean;
  readonly provider: PageProvider;
  /** What to do after a pause: resume because settings were changed, or remove the training. */
  readonly afterwards?: "resume" | "remove";
  /** Why the browser cannot store the training. It then lasts until the page is closed. */
  readonly notKept?: string;
  /** A training was removed and can be restored. */
  readonly undoable: boolean;
  /** The GPU was lost, and the training can continue with WebAssembly. */
  readonly lost: boolean;
  /** The state in a sentence. */
  readonly said: string;
  /** The last error; empty if there is none. */
  readonly problem: string;
}

/** Events from the user, the worker and the store. */
export type TrainingEvent =
  /** The browser has a stored training. */
  | { readonly kind: "found"; readonly plan: Plan }
  /** Start or resume with the current settings. */
  | { readonly kind: "start"; readonly asked: Plan; readonly provider: PageProvider }
  | { readonly kind: "pause" }
  /** Settings that may change during a training were changed. */
  | { readonly kind: "change"; readonly asked: Plan; readonly provider: PageProvider }
  | { readonly kind: "startOver" }
  | { readonly kind: "undo" }
  /** This tab has the claim to train or to remove. `notKept` says why nothing can be stored. */
  | { readonly kind: "taken"; readonly notKept?: string }
  | { readonly kind: "refused"; readonly message: string }
  /** Another tab has changed the stored training. This is the current one. */
  | { readonly kind: "elsewhere"; readonly plan: Plan | undefined; readonly message: string }
  | { readonly kind: "removed" }
  /** The result of storing the training. */
  | { readonly kind: "kept"; readonly notKept?: string }
  | { readonly kind: "preparing"; readonly what: string }
  | { readonly kind: "steps" }
  /** No step follows. The progress is stored next, then `paused` comes. */
  | { readonly kind: "stopped" }
  | { readonly kind: "paused" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "lost"; readonly message: string }
  /** The worker does not answer. */
  | { readonly kind: "silent" };

/** Effects of a transition, in addition to showing the state. */
export type TrainingEffect =
  /** Claim the right to train, and store this plan. Answered by `taken`, `refused` or `elsewhere`. */
  | { readonly kind: "take"; readonly plan: Plan; readonly fresh: boolean }
  /** Release the claim to other tabs. */
  | { readonly kind: "release" }
  | { readonly kind: "train" }
  /** Request a pause. Answered by `paused`, or by `silent` without an answer. */
  | { readonly kind: "pause" }
  /** End the worker immediately. */
  | { readonly kind: "end" }
  /** Claim the right to remove, and remove the stored training. Answered by `removed`, `refused` or `elsewhere`. */
  | { readonly kind: "remove" }
  /** Restore the removed training. Answered by `found` or `refused`. */
  | { readonly kind: "restore" };

export interface Transition {
  readonly state: TrainingState;
  readonly effects: readonly TrainingEffect[];
}

export const initial: TrainingState = {
  phase: "empty",
  provider: "wasm",
  fresh: false,
  begun: false,
  undoable: false,
  lost: false,
  said: "",
  problem: "",
};

/** Whether the training is running, or is about to run. */
export function isUnderWay({ phase }: TrainingState): boolean {
  return phase === "preparing" || phase === "training";
}

/** The transition for an event. Events without a meaning in a phase are ignored. */
export function next(state: TrainingState, event: TrainingEvent): Transition {
  const { phase, plan } = state;
  switch (event.kind) {
    case "found": {
      if (phase !== "empty" && phase !== "removing") return same(state);
      const said = phase === "removing" ? "Brought back." : "Kept in this browser from your last visit.";
      return rest({ ...state, plan: event.plan, fresh: false, begun: true, undoable: false }, said);
    }
    case "start": {
      if (phase !== "empty" && phase !== "paused") return same(state);
      const { asked, provider } = event;
      const wanted = plan ? { ...plan, learningRate: asked.learningRate } : asked;
      return {
        state: {
          ...clear(state),
          phase: "preparing",
          plan: wanted,
          fresh: !plan,
          begun: plan !== undefined,
          provider,
          said: "Preparing…",
        },
        effects: [{ kind: "take", plan: wanted, fresh: !plan }],
      };
    }
    case "taken":
      return taken(state, event.notKept);
    case "pause":
      if (phase === "training") return pausing(state, "Pausing after this step…");
      // Nothing is lost: earlier results are already stored.
      return phase === "preparing" ? rest(state, PAUSED, [{ kind: "end" }]) : same(state);
    case "change": {
      if (!isUnderWay(state) || !plan) return same(state);
      const changed = {
        ...state,
        plan: { ...plan, learningRate: event.asked.learningRate },
        provider: event.provider,
        afterwards: "resume" as const,
      };
      return phase === "training" ? pausing(changed, "Changing…") : same(changed);
    }
    case "startOver":
      if (phase === "training") return pausing({ ...state, afterwards: "remove" }, "Stopping…");
      // Nothing was stored before the right to train has come.
      if (phase === "preparing" && state.fresh) return rest(state, "", [{ kind: "end" }]);
      return phase === "preparing" || phase === "paused" ? removing(state) : same(state);
    case "removed": {
      const { provider, notKept } = state;
      return {
        state: { ...initial, provider, notKept, undoable: true, said: "The training was removed." },
        effects: [{ kind: "release" }],
      };
    }
    case "undo":
      if (phase !== "empty" || !state.undoable) return same(state);
      return { state: { ...clear(state), phase: "removing" }, effects: [{ kind: "restore" }] };
    case "elsewhere": {
      const there = {
        ...state,
        plan: event.plan,
        fresh: false,
        begun: true,
        undoable: false,
        problem: event.message,
      };
      return rest(there, event.plan ? PAUSED : "", [{ kind: "end" }]);
    }
    case "refused":
      return rest({ ...state, problem: event.message }, plan && !state.fresh ? PAUSED : "");
    case "kept":
      return same({ ...state, notKept: event.notKept });
    default:
      return heard(state, event);
  }
}

/** The transition for a report of the worker. */
function heard(
  state: TrainingState,
  event: Extract<
    TrainingEvent,
    { kind: "preparing" | "steps" | "stopped" | "paused" | "failed" | "lost" | "silent" }
  >,
): Transition {
  switch (event.kind) {
    case "preparing":
      return same(state.phase === "preparing" ? { ...state, said: event.what } : state);
    case "steps":
      if (state.phase !== "preparing") return same(state);
      if (state.afterwards) return pausing({ ...state, begun: true }, "Changing…");
      return same({ ...state, phase: "training", begun: true, said: "Training." });
    case "stopped":
      return same(
        state.phase === "pausing" && !state.afterwards ? { ...state, said: "Paused. Storing it…" } : state,
      );
    case "paused":
      return afterPause(state, state.notKept ? PAUSED : PAUSED_AND_KEPT);
    case "failed":
      return failed({ ...state, problem: event.message });
    case "lost":
      return rest({ ...state, lost: true, problem: event.message }, "Stopped: the GPU was lost.", [
        { kind: "end" },
      ]);
    case "silent": {
      if (state.phase !== "pausing") return same(state);
      const { state: after, effects } = afterPause(
        state,
        "Paused where it was last kept: it did not answer.",
      );
      return { state: after, effects: [{ kind: "end" }, ...effects] };
    }
  }
}

/** The requested claim to train was granted. If a pause was requested meanwhile, release it. */
function taken(state: TrainingState, notKept: string | undefined): Transition {
  if (state.phase !== "preparing") return { state, effects: [{ kind: "release" }] };
  return { state: { ...state, fresh: false, notKept, undoable: false }, effects: [{ kind: "train" }] };
}

function afterPause(state: TrainingState, said: string): Transition {
  if (state.phase !== "pausing") return same(state);
  const { afterwards, plan } = state;
  if (afterwards === "remove") return removing(state);
  if (afterwards !== "resume" || !plan) return rest(state, said);
  return {
    state: { ...clear(state), phase: "preparing", said: "Preparing…" },
    effects: [{ kind: "take", plan, fresh: false }],
  };
}

/** What has made no step is not a training to resume: it is discarded, so that its settings can be changed. */
function failed(state: TrainingState): Transition {
  const { begun } = state;
  return rest({ ...state, fresh: !begun }, begun ? "Stopped." : "Stopped before the first step.", [
    { kind: "end" },
  ]);
}

function pausing(state: TrainingState, said: string): Transition {
  return { state: { ...state, phase: "pausing", said }, effects: [{ kind: "pause" }] };
}

function removing(state: TrainingState): Transition {
  return {
    state: { ...clear(state), phase: "removing", said: "" },
    effects: [{ kind: "end" }, { kind: "remove" }],
  };
}

/** The transition to a phase in which nothing runs. */
function rest(state: TrainingState, said: string, before: readonly TrainingEffect[] = []): Transition {
  const { afterwards: _, plan, fresh, ...kept } = state;
  // A plan that has not started is discarded.
  const there = plan && !fresh ? { phase: "paused" as const, plan } : { phase: "empty" as const };
  return {
    state: { ...kept, ...there, fresh: false, said },
    effects: [...before, { kind: "release" }],
  };
}

/** Remove the messages of the last attempt. */
function clear(state: TrainingState): TrainingState {
  const { afterwards: _, ...kept } = state;
  return { ...kept, lost: false, problem: "" };
}

function same(state: TrainingState): Transition {
  return { state, effects: [] };
}
