import { describe, expect, test } from "vitest";
import { GanOnnxError } from "../../../src/error.js";
import { TrainingControl } from "../../../web-demo/training/control.js";
import type { TrainingState } from "../../../web-demo/training/machine.js";
import type { Kept, Plan } from "../../../web-demo/training/plan.js";
import type { TrainWorker } from "../../../web-demo/training/ports.js";
import { changedElsewhere, type TrainingStore } from "../../../web-demo/training/store.js";
import type { TrainReport, TrainRequest } from "../../../web-demo/training/training-worker.js";

const plan: Plan = { id: "a", recipe: "vanilla", learningRate: 1e-3, seed: 0, data: { kind: "drawn" } };
const start = { kind: "start", asked: plan, provider: "wasm" } as const;
const tiles = { images: new Uint8Array(64) };
const scene = { image: { channels: 1, height: 1, width: 1 }, made: tiles, real: tiles };
const checkpointAt = (made: number) => new Uint8Array([made]);
const progress = (made: number): TrainReport => ({
  kind: "progress",
  made,
  checkpoint: checkpointAt(made),
  scene,
  place: `step ${made}`,
});
const steps = (step: number): TrainReport => ({
  kind: "steps",
  count: 1,
  point: { step, metrics: {} },
  place: `step ${step}`,
});

/** A browser's store in memory, which all tabs share. */
function memoryStore() {
  let there: Kept | undefined;
  let held = false;
  let broken: Error | undefined;
  const written = (kept: Kept | undefined) => {
    if (broken) throw broken;
    there = kept;
  };
  const store: TrainingStore = {
    async claim() {
      if (held) throw new GanOnnxError({ what: "is under way", where: "another tab", fix: "pause it" });
      held = true;
      return () => {
        held = false;
      };
    },
    async read() {
      if (broken?.name === "SecurityError") throw broken;
      return there;
    },
    begin: async (kept) => written(kept),
    keepPlan: async (changed) => written({ ...there, plan: changed }),
    async keepProgress(kept) {
      if (there?.plan.id !== kept.plan.id) throw changedElsewhere();
      written(kept);
    },
    forget: async () => written(undefined),
  };
  return {
    store,
    kept: () => there,
    isHeld: () => held,
    breaks(error: Error | undefined) {
      broken = error;
    },
  };
}

/** A tab of the page, its worker played by the test. */
function tab(store: TrainingStore) {
  const asked: TrainRequest[] = [];
  const timers: (() => void)[] = [];
  let hear: (report: TrainReport) => void = () => {};
  let recalled: Kept["view"];
  let state: TrainingState | undefined;
  let ended = 0;
  const control = new TrainingControl({
    store,
    openWorker(listener): TrainWorker {
      hear = listener;
      return {
        ask: (request) => asked.push(request),
        end: () => {
          ended++;
        },
      };
    },
    show: (next) => {
      state = next;
    },
    see: () => {},
    recall: (view) => {
      recalled = view;
    },
    after(_, call) {
      timers.push(call);
      return () => {
        timers.length = 0;
      };
    },
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  return {
    control,
    asked,
    timers,
    recalled: () => recalled,
    state: () => state,
    ended: () => ended,
    async does(event: Parameters<TrainingControl["dispatch"]>[0]) {
      control.dispatch(event);
      await settle();
    },
    async tells(...reports: readonly TrainReport[]) {
      for (const report of reports) hear(report);
      await settle();
    },
  };
}

const full = new DOMException("no room", "QuotaExceededError");
const denied = new DOMException("denied", "SecurityError");

describe("the training of a page", () => {
  test("is kept as it comes, and resumed from there in another visit", async () => {
    const { store, kept, isHeld } = memoryStore();
    const first = tab(store);
    await first.control.recall();
    await first.does(start);
    expect(first.asked.slice(1)).toEqual([{ kind: "train", plan, provider: "wasm", checkpoint: undefined }]);
    await first.tells(steps(1), steps(2), steps(3), progress(2));
    expect(isHeld()).toBe(true);
    // What the curves show beyond the checkpoint will be made again.
    expect(kept()).toMatchObject({ checkpoint: checkpointAt(2), view: { place: "step 2" } });
    expect(kept()?.view?.points.map(({ step }) => step)).toEqual([1, 2]);
    await first.does({ kind: "pause" });
    await first.tells({ kind: "stopped" });
    expect([first.state()?.said, kept()?.checkpoint]).toEqual(["Paused. Storing it…", checkpointAt(2)]);
    await first.tells(progress(3), { kind: "paused" });
    expect([first.state()?.said, kept()?.checkpoint]).toEqual([
      "Paused, and kept in this browser.",
      checkpointAt(3),
    ]);
    expect([first.state()?.phase, isHeld()]).toEqual(["paused", false]);

    const second = tab(store);
    await second.control.recall();
    expect(second.state()).toMatchObject({ phase: "paused", plan });
    expect(second.recalled()?.place).toBe("step 3");
    await second.does(start);
    expect(second.asked.slice(1)).toEqual([
      { kind: "train", plan, provider: "wasm", checkpoint: checkpointAt(3) },
    ]);
  });

  test("goes on in memory when the storage is full, resumes from there, and is kept when there is room", async () => {
    const { store, kept, breaks } = memoryStore();
    const page = tab(store);
    await page.does(start);
    breaks(full);
    await page.tells(steps(1), progress(1));
    expect(page.state()).toMatchObject({ phase: "training", notKept: "the storage of this browser is full" });
    await page.does({ kind: "pause" });
    await page.tells(progress(5), { kind: "paused" });
    await page.does(start);
    expect(page.asked.at(-1)).toMatchObject({ kind: "train", checkpoint: checkpointAt(5) });
    breaks(undefined);
    await page.tells(steps(6), progress(6));
    expect(page.state()?.notKept).toBeUndefined();
    expect(kept()).toMatchObject({ plan, checkpoint: checkpointAt(6) });
  });

  test("is possible where the browser denies its storage", async () => {
    const { store, breaks } = memoryStore();
    breaks(denied);
    const page = tab(store);
    await page.control.recall();
    const why = "this browser does not let the page keep anything, as in a private window";
    expect(page.state()).toMatchObject({ phase: "empty", notKept: why, problem: "" });
    await page.does(start);
    await page.tells(steps(1), progress(1));
    expect(page.state()).toMatchObject({ phase: "training", notKept: why });
    await page.does({ kind: "startOver" });
    await page.tells(progress(2), { kind: "paused" });
    expect(page.state()).toMatchObject({ phase: "empty", undoable: true, notKept: why });
    await page.does({ kind: "undo" });
    await page.does(start);
    expect(page.asked.at(-1)).toMatchObject({ checkpoint: checkpointAt(2) });
  });

  test("comes back whole when it was removed by mistake", async () => {
    const { store, kept, isHeld } = memoryStore();
    const page = tab(store);
    await page.does(start);
    await page.tells(steps(1), progress(1));
    await page.does({ kind: "startOver" });
    await page.tells(progress(1), { kind: "paused" });
    expect([kept(), page.recalled(), isHeld()]).toEqual([undefined, undefined, false]);
    await page.does({ kind: "undo" });
    expect(kept()).toMatchObject({ plan, checkpoint: checkpointAt(1) });
    expect([page.state()?.phase, page.recalled()?.place, isHeld()]).toEqual(["paused", "step 1", false]);
  });

  test("is one training for all tabs", async () => {
    const { store, kept } = memoryStore();
    const [mine, other] = [tab(store), tab(store)];
    await mine.does(start);
    await mine.tells(steps(1), progress(1));
    await other.does({ ...start, asked: { ...plan, id: "b" } });
    expect(other.state()).toMatchObject({ phase: "empty", problem: "another tab: is under way; pause it" });
    await mine.does({ kind: "pause" });
    await mine.tells(progress(1), { kind: "paused" });
    await other.does({ ...start, asked: { ...plan, id: "b" } });
    expect(other.state()).toMatchObject({ phase: "paused", plan });
    expect(other.state()?.problem).toMatch(/changed in another tab/);
    expect(kept()?.plan.id).toBe("a");
    await other.does({ kind: "startOver" });
    await mine.does(start);
    expect(mine.state()).toMatchObject({ phase: "empty" });
    expect(mine.recalled()).toBeUndefined();
  });

  test("that does not answer a pause, or loses its GPU, is resumed from where it was last kept", async () => {
    const { store } = memoryStore();
    const page = tab(store);
    await page.does(start);
    await page.tells(steps(1), progress(1));
    await page.does({ kind: "pause" });
    for (const call of page.timers.splice(0)) call();
    expect([page.state()?.phase, page.ended()]).toEqual(["paused", 1]);
    // What comes from a worker that was ended is not heard.
    await page.tells(progress(9), { kind: "paused" });
    await page.does({ ...start, provider: "webgpu" });
    expect(page.asked.at(-1)).toMatchObject({ provider: "webgpu", checkpoint: checkpointAt(1) });
    await page.tells(steps(2), progress(2), { kind: "lost", message: "the GPU was lost" });
    expect(page.state()).toMatchObject({ phase: "paused", lost: true });
    await page.does(start);
    expect(page.asked.at(-1)).toMatchObject({ provider: "wasm", checkpoint: checkpointAt(2) });
  });

  test("gives its generator to all who ask, and says when there will be none", async () => {
    const { store } = memoryStore();
    const page = tab(store);
    await expect(page.control.files("generator")).rejects.toThrow("no training is there");
    await page.does(start);
    const asked = [1, 2, 3].map(() => page.control.files("generator"));
    const answers = Promise.allSettled(asked);
    await page.tells({ kind: "files", files: [checkpointAt(7)] }, { kind: "noFiles", message: "no" });
    // Other settings mean no other worker: what it was asked for is still to come.
    await page.does({ kind: "change", asked: { ...plan, learningRate: 2 }, provider: "wasm" });
    await page.tells(steps(1), { kind: "paused" });
    expect(page.asked.slice(-2).map(({ kind }) => kind)).toEqual(["pace", "train"]);
    await page.tells({ kind: "failed", message: "diverged" });
    expect(await answers).toMatchObject([
      { value: [checkpointAt(7)] },
      { reason: { message: "no" } },
      { reason: { message: "the training was stopped meanwhile" } },
    ]);
  });

  test("is prepared once before it is asked for, and resumes, in one worker", async () => {
    const page = tab(memoryStore().store);
    page.control.prepare(plan, "wasm");
    page.control.prepare(plan, "wasm");
    await page.does(start);
    page.control.prepare(plan, "wasm");
    expect(page.asked.map(({ kind }) => kind)).toEqual(["prepare", "pace", "train"]);
    await page.tells(steps(1), progress(1));
    await page.does({ kind: "pause" });
    await page.tells({ kind: "paused" });
    await page.does(start);
    expect(page.asked.slice(-2)).toMatchObject([
      { kind: "pace" },
      { kind: "train", checkpoint: checkpointAt(1) },
    ]);
    expect(page.ended()).toBe(0);
  });
});
