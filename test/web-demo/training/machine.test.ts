import { describe, expect, test } from "vitest";
import { initial, next, type TrainingEvent, type TrainingState } from "../../../web-demo/training/machine.js";
import type { Plan } from "../../../web-demo/training/plan.js";

const plan: Plan = { id: "a", recipe: "vanilla", learningRate: 1e-3, seed: 0, data: { kind: "drawn" } };
const start = { kind: "start", asked: plan, provider: "wasm" } as const;
const faster = { kind: "change", asked: { ...plan, learningRate: 5e-3 }, provider: "webgpu" } as const;

/** Where events lead one after the other, and the effects of all of them. */
function through(...events: readonly TrainingEvent[]) {
  let state: TrainingState = initial;
  const effects: string[] = [];
  for (const event of events) {
    const transition = next(state, event);
    state = transition.state;
    effects.push(...transition.effects.map(({ kind }) => kind));
  }
  return { state, effects };
}

const training = [start, { kind: "taken" }, { kind: "steps" }] as const;
const paused = [...training, { kind: "pause" }, { kind: "paused" }] as const;

describe("a training", () => {
  test("begins, pauses, resumes", () => {
    expect(through(start)).toMatchObject({
      state: { phase: "preparing", plan },
      effects: ["take"],
    });
    expect(through(...training)).toMatchObject({
      state: { phase: "training", said: "Training." },
      effects: ["take", "train"],
    });
    // It does not say that it is kept before it is.
    expect(through(...training, { kind: "pause" }).state.said).toBe("Pausing after this step…");
    expect(through(...training, { kind: "pause" }, { kind: "stopped" }).state).toMatchObject({
      phase: "pausing",
      said: "Paused. Storing it…",
    });
    const { state, effects } = through(...paused);
    expect(state).toMatchObject({ phase: "paused", plan, said: "Paused, and kept in this browser." });
    expect(effects).toEqual(["take", "train", "pause", "release"]);
    // The plan that is there counts, except for what may change on the way.
    const resumed = next(state, {
      ...start,
      asked: { ...plan, id: "b", seed: 9, recipe: "vae", learningRate: 0.1 },
    });
    expect(resumed.effects).toEqual([{ kind: "take", plan: { ...plan, learningRate: 0.1 }, fresh: false }]);
  });

  test("that cannot be begun leaves nothing; one that cannot be resumed stays", () => {
    const refused = { kind: "refused", message: "the other tab" } as const;
    const first = through(start, refused).state;
    expect(first).toMatchObject({ phase: "empty", problem: "the other tab" });
    expect(first.plan).toBeUndefined();
    expect(through(...paused, start, refused).state).toMatchObject({
      phase: "paused",
      plan,
      said: "Paused.",
      problem: "the other tab",
    });
    // The next attempt says nothing of the last one.
    expect(through(start, refused, start).state.problem).toBe("");
  });

  test("can be paused while it is prepared, also before the right to train has come", () => {
    expect(through(start, { kind: "taken" }, { kind: "pause" })).toMatchObject({
      state: { phase: "paused", plan },
      effects: ["take", "train", "end", "release"],
    });
    expect(through(start, { kind: "pause" }, { kind: "taken" })).toMatchObject({
      state: { phase: "empty" },
      effects: ["take", "end", "release", "release"],
    });
  });

  test("can be removed while it is prepared", () => {
    expect(through(start, { kind: "startOver" }, { kind: "taken" })).toMatchObject({
      state: { phase: "empty" },
      effects: ["take", "end", "release", "release"],
    });
    expect(through(start, { kind: "taken" }, { kind: "startOver" }, { kind: "removed" })).toMatchObject({
      state: { phase: "empty", undoable: true },
      effects: ["take", "train", "end", "remove", "release"],
    });
  });

  test("takes changed settings by a pause, whenever they come", () => {
    const changed = { ...plan, learningRate: 5e-3 };
    const expected = { state: { phase: "preparing", plan: changed, provider: "webgpu" } };
    const now = through(...training, faster, { kind: "stopped" }, { kind: "paused" });
    expect(now).toMatchObject(expected);
    expect(now.effects).toEqual(["take", "train", "pause", "take"]);
    const early = through(start, faster, { kind: "taken" }, { kind: "steps" }, { kind: "paused" });
    expect(early).toMatchObject(expected);
    expect(early.effects).toEqual(["take", "train", "pause", "take"]);
    expect(early.state.afterwards).toBeUndefined();
    expect(through(...paused, faster).state).toEqual(through(...paused).state);
  });

  test("is removed at the end of a pause, and comes back when that was a mistake", () => {
    const removed = through(...training, { kind: "startOver" }, { kind: "paused" }, { kind: "removed" });
    expect(removed.state).toMatchObject({
      phase: "empty",
      undoable: true,
      said: "The training was removed.",
    });
    expect(removed.state.plan).toBeUndefined();
    expect(removed.effects).toEqual(["take", "train", "pause", "end", "remove", "release"]);
    const undone = next(removed.state, { kind: "undo" });
    expect(undone.effects).toEqual([{ kind: "restore" }]);
    expect(next(undone.state, { kind: "found", plan }).state).toMatchObject({
      phase: "paused",
      plan,
      undoable: false,
      said: "Brought back.",
    });
    // Another one in its place ends that.
    expect(next(next(removed.state, start).state, { kind: "taken" }).state.undoable).toBe(false);
  });

  test("goes on where nothing can be kept, and says why until something can", () => {
    const full = through(start, { kind: "taken", notKept: "full" }, { kind: "steps" });
    expect(full.state).toMatchObject({ phase: "training", notKept: "full" });
    expect(next(full.state, { kind: "kept" }).state.notKept).toBeUndefined();
    const rest = next(next(full.state, { kind: "pause" }).state, { kind: "paused" }).state;
    expect(rest).toMatchObject({ phase: "paused", said: "Paused.", notKept: "full" });
  });

  test("stops when it fails, and offers another way when the GPU is lost", () => {
    const failed = through(...training, { kind: "failed", message: "diverged" });
    expect(failed.state).toMatchObject({ phase: "paused", plan, problem: "diverged", lost: false });
    expect(failed.effects.slice(-2)).toEqual(["end", "release"]);
    // What never began is no training to resume.
    const never = through(start, { kind: "taken" }, { kind: "failed", message: "no labels" }).state;
    expect(never).toMatchObject({ phase: "empty", problem: "no labels" });
    expect(never.plan).toBeUndefined();
    expect(through(...paused, start, { kind: "failed", message: "no" }).state.phase).toBe("paused");
    const lost = through(...training, { kind: "lost", message: "gone" }).state;
    expect(lost).toMatchObject({ phase: "paused", lost: true, problem: "gone" });
    expect(next(lost, start).state).toMatchObject({ phase: "preparing", lost: false, problem: "" });
  });

  test("that does not answer a pause is ended, and what was to come afterwards comes", () => {
    const silent = through(...training, { kind: "pause" }, { kind: "silent" });
    expect(silent.state.phase).toBe("paused");
    expect(silent.effects.slice(-3)).toEqual(["pause", "end", "release"]);
    expect(through(...training, faster, { kind: "silent" }).effects.slice(-2)).toEqual(["end", "take"]);
    expect(through(...training, { kind: "silent" }).state.phase).toBe("training");
  });

  test("shows what another tab has made of it", () => {
    const other = { ...plan, id: "b" };
    expect(
      through(...paused, start, { kind: "elsewhere", plan: other, message: "changed" }).state,
    ).toMatchObject({ phase: "paused", plan: other, problem: "changed" });
    const gone = through(...paused, start, { kind: "elsewhere", plan: undefined, message: "changed" }).state;
    expect(gone).toMatchObject({ phase: "empty", problem: "changed" });
  });

  test.each<TrainingEvent>([
    { kind: "pause" },
    { kind: "startOver" },
    { kind: "undo" },
    { kind: "steps" },
    { kind: "stopped" },
    { kind: "paused" },
    faster,
  ])("that is not there does not mind %o", (event) => {
    expect(through(event)).toEqual({ state: initial, effects: [] });
  });
});
