import { GanOnnxError, messageOf } from "../../src/error.js";
import type { PageProvider } from "../runtime/page-provider.js";
import type { CurvePoint } from "../ui/curves.js";
import { initial, next, type TrainingEffect, type TrainingEvent, type TrainingState } from "./machine.js";
import type { Kept, Plan } from "./plan.js";
import { thinned } from "./points.js";
import type { Ports, TrainWorker } from "./ports.js";
import { changedElsewhere, failureOf, whyNotKept } from "./store.js";
import type { Pace, TrainingFiles, TrainReport } from "./training-worker.js";

/**
 * The maximum time for a pause before the worker is ended, in milliseconds: a call of ONNX Runtime cannot be stopped.
 */
const PATIENCE = 10_000;

/** Files made by the worker. */
type Files = readonly Uint8Array<ArrayBuffer>[];

/** Owns the only training of a page: its state, its worker, and its latest results. */
export class TrainingControl {
  private state = initial;
  private worker: TrainWorker | undefined;
  /** The worker trains nothing now, and can be asked to. */
  private ready = false;
  private kept: Omit<Kept, "plan"> = {};
  private removed: Kept | undefined;
  private points: readonly CurvePoint[] = [];
  private pace: Pace = "normal";
  /** Releases the claim to train to other tabs, while this tab has it. */
  private giveBack: (() => void) | undefined;
  private stopWaiting: (() => void) | undefined;
  /** The current save operation. Messages that something is saved must wait for it. */
  private keeping = Promise.resolve();
  private readonly fileRequests: {
    readonly what: TrainingFiles;
    resolve(files: Files): void;
    reject(error: Error): void;
  }[] = [];

  constructor(private readonly ports: Ports) {}

  get current(): TrainingState {
    return this.state;
  }

  /** Show the training that is stored in this browser, if there is one. */
  async recall(): Promise<void> {
    try {
      const kept = await this.ports.store.read();
      if (kept?.view) this.adopt(kept);
    } catch (error) {
      this.dispatch({ kind: "kept", notKept: whyNotKept(error) });
    }
  }

  dispatch(event: TrainingEvent): void {
    const { state, effects } = next(this.state, event);
    this.state = state;
    this.ports.show(state);
    for (const effect of effects) this.perform(effect);
  }

  /**
   * Files of the current training: its generator, or its graph with the manifest.
   *
   * @throws Error when there is no training, or it ends before the answer.
   */
  files(what: TrainingFiles): Promise<Files> {
    if (!this.state.plan) return Promise.reject(new Error("no training is there"));
    return new Promise((resolve, reject) => {
      this.fileRequests.push({ what, resolve, reject });
      this.worker ??= this.openWorker();
      this.askFiles(what);
    });
  }

  private askFiles(what: TrainingFiles): void {
    const { plan } = this.state;
    if (plan) this.worker?.ask({ kind: "files", what, plan, checkpoint: this.kept.checkpoint });
  }

  /** Make ready what a training will need that may be asked for soon. */
  prepare(plan: Plan, provider: PageProvider): void {
    if (this.worker || this.state.phase !== "empty") return;
    this.worker = this.openWorker();
    this.ready = true;
    this.worker.ask({ kind: "prepare", plan, provider });
  }

  /** Go faster or slower, now and from now on. */
  setPace(pace: Pace): void {
    this.pace = pace;
    this.worker?.ask({ kind: "pace", pace });
  }

  /** Save the current progress: the page may be closed at any moment. */
  keep(): void {
    if (this.state.phase === "training") this.worker?.ask({ kind: "keep" });
  }

  private perform(effect: TrainingEffect): void {
    switch (effect.kind) {
      case "take":
        this.guarded(() => this.take(effect.plan, effect.fresh));
        break;
      case "release":
        this.giveBack?.();
        this.giveBack = undefined;
        break;
      case "train":
        this.train();
        break;
      case "pause":
        this.worker?.ask({ kind: "pause" });
        this.stopWaiting = this.ports.after(PATIENCE, () => this.dispatch({ kind: "silent" }));
        break;
      case "end":
        this.endWorker();
        break;
      case "remove":
        this.guarded(() => this.remove());
        break;
      case "restore":
        this.guarded(() => this.restore());
    }
  }

  /** Run a task that may fail, and show its error. */
  private async guarded(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.dispatch({ kind: "refused", message: messageOf(error) });
    }
  }

  private async take(plan: Plan, fresh: boolean): Promise<void> {
    const { store } = this.ports;
    if (!(await this.mayChange(fresh ? undefined : plan))) return;
    const notKept = await failureOf(() => (fresh ? store.begin({ plan }) : this.keepPlan(plan)));
    if (fresh) this.forgetSeen();
    this.dispatch({ kind: "taken", notKept });
  }

  /** Store the plan. If the browser could not store this training before, store all of it. */
  private keepPlan(plan: Plan): Promise<void> {
    const { store } = this.ports;
    return this.state.notKept === undefined ? store.keepPlan(plan) : store.begin({ plan, ...this.kept });
  }

  /**
   * Claim the right to change the stored training, and check that it is the one that this tab shows: other tabs may
   * train or remove it. If nothing can be stored, there is nothing to compare.
   */
  private async mayChange(shown: Plan | undefined): Promise<boolean> {
    const { store } = this.ports;
    this.giveBack ??= await store.claim();
    if (this.state.notKept !== undefined) return true;
    let kept: Kept | undefined;
    try {
      kept = await store.read();
    } catch {
      return true;
    }
    if (shown ? kept?.plan.id === shown.id : !kept?.view) return true;
    this.adoptSilently(kept?.view && kept);
    const plan = kept?.view && kept.plan;
    this.dispatch({ kind: "elsewhere", plan, message: changedElsewhere().message });
    return false;
  }

  private train(): void {
    const { plan, provider } = this.state;
    if (!plan) return;
    const { checkpoint } = this.kept;
    if (!this.ready || !this.worker) {
      this.worker?.end();
      this.worker = this.openWorker();
      for (const { what } of this.fileRequests) this.askFiles(what);
    }
    this.ready = false;
    this.worker.ask({ kind: "pace", pace: this.pace });
    this.worker.ask({ kind: "train", plan, provider, checkpoint });
  }

  private openWorker(): TrainWorker {
    const worker: TrainWorker = this.ports.openWorker((report) => {
      // Ignore later reports of a worker that was ended.
      if (worker === this.worker) this.hear(report);
    });
    return worker;
  }

  private hear(report: TrainReport): void {
    switch (report.kind) {
      case "steps":
        this.points = thinned([...this.points, report.point]);
        this.ports.see(report);
        this.dispatch({ kind: "steps" });
        break;
      case "real":
      case "scene":
        this.ports.see(report);
        break;
      case "progress":
        this.keeping = this.keepProgress(report);
        break;
      case "files":
        this.fileRequests.shift()?.resolve(report.files);
        break;
      case "noFiles":
        this.fileRequests.shift()?.reject(new Error(report.message));
        break;
      case "paused":
        this.stopWaiting?.();
        this.ready = true;
        this.keeping.then(() => this.dispatch(report));
        break;
      default:
        this.dispatch(report);
    }
  }

  /** Remember the progress here, whether or not the browser can store it. */
  private async keepProgress(report: Extract<TrainReport, { kind: "progress" }>): Promise<void> {
    const { plan } = this.state;
    const { checkpoint, scene, place, made } = report;
    if (!plan) return;
    const view = { points: this.points.filter(({ step }) => step <= made), scene, place };
    this.kept = { checkpoint, view };
    const { store } = this.ports;
    const whole = { plan, checkpoint, view };
    try {
      await (this.state.notKept === undefined ? store.keepProgress(whole) : store.begin(whole));
      this.dispatch({ kind: "kept" });
    } catch (error) {
      if (error instanceof GanOnnxError) this.dispatch({ kind: "failed", message: error.message });
      else this.dispatch({ kind: "kept", notKept: whyNotKept(error) });
    }
  }

  private async remove(): Promise<void> {
    const { plan } = this.state;
    if (!plan || !(await this.mayChange(plan))) return;
    this.removed = { plan, ...this.kept };
    const notKept = await failureOf(() => this.ports.store.forget());
    this.forgetSeen();
    this.dispatch({ kind: "removed" });
    this.dispatch({ kind: "kept", notKept });
  }

  private async restore(): Promise<void> {
    const { removed } = this;
    if (!removed || !(await this.mayChange(undefined))) return;
    const notKept = await failureOf(() => this.ports.store.begin(removed));
    this.adopt(removed);
    this.dispatch({ kind: "kept", notKept });
  }

  private adopt(kept: Kept): void {
    this.adoptSilently(kept);
    this.dispatch({ kind: "found", plan: kept.plan });
  }

  private adoptSilently(kept: Kept | undefined): void {
    this.removed = undefined;
    this.kept = { checkpoint: kept?.checkpoint, view: kept?.view };
    this.points = kept?.view?.points ?? [];
    this.ports.recall(kept?.view);
  }

  private forgetSeen(): void {
    this.kept = {};
    this.points = [];
    this.ports.recall(undefined);
  }

  private endWorker(): void {
    this.stopWaiting?.();
    this.worker?.end();
    this.worker = undefined;
    this.ready = false;
    for (const { reject } of this.fileRequests.splice(0))
      reject(new Error("the training was stopped meanwhile"));
  }
}
