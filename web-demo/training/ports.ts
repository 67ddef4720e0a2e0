import type { TrainingState } from "./machine.js";
import type { Kept } from "./plan.js";
import type { TrainingStore } from "./store.js";
import type { TrainReport, TrainRequest } from "./training-worker.js";

/** The worker that trains, as far as it matters here. */
export interface TrainWorker {
  ask(request: TrainRequest): void;
  /** End it at once. */
  end(): void;
}

export interface Ports {
  readonly store: TrainingStore;
  openWorker(hear: (report: TrainReport) => void): TrainWorker;
  /** The state has changed. */
  show(state: TrainingState): void;
  /** Something was made that is to be seen. */
  see(report: Extract<TrainReport, { kind: "steps" | "real" | "scene" }>): void;
  /** Show all that is seen of a training that was made before, or nothing. */
  recall(view: Kept["view"]): void;
  /** Call something after a time in milliseconds; returns what cancels it. */
  after(milliseconds: number, call: () => void): () => void;
}
