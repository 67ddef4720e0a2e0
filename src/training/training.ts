import type { Dataset } from "../data/dataset.js";
import type { Picture } from "../data/sheet.js";
import type { Design } from "../recipes/index.js";
import type { Engine, OpenModel } from "../runtime/engine.js";
import type { Tensors } from "../tensors/tensor.js";
import type { Augmentation } from "./augment.js";
import type { Block } from "./batches.js";
import type { Checkpoint } from "./checkpoint.js";
import type { StepGraph } from "./step-graph.js";

/** A training that is ready to start. */
export interface Training {
  readonly design: Design;
  readonly graph: StepGraph;
  readonly dataset: Dataset;
  /** Images that are not used for training, for scores. If there are none, the training images are used. */
  readonly heldOut?: Dataset;
  readonly epochs: number;
  readonly batchSize: number;
  /** Steps per call of the training graph. The default is chosen by measuring. */
  readonly stepsPerCall?: number;
  readonly start: Checkpoint;
  /** The augmentations of the images. The default is none. */
  readonly augmentations?: readonly Augmentation[];
}

/** The environment of a training: threads and a folder in Node, a worker and a database in a browser. */
export interface Workplace {
  /** Load the training with a state. */
  openEngine(state: Tensors): Promise<Engine>;
  /** Load a model for drawing or scoring. */
  readonly openModel: OpenModel;
  /** Open threads that prepare batches, for when the training thread is too slow. */
  readonly openFeeder?: (training: Training) => Feeder;
  /** Draws the sheets. The default is the standard painter. */
  readonly openPainter?: (training: Training) => Promise<SheetPainter>;
  /** Computes scores after epochs, if requested. */
  readonly openExaminer?: () => Promise<Examiner | undefined>;
  /**
   * The maximum duration of a call, in milliseconds, if users wait for it. Calls have as many steps as fit; the first
   * has one. If it is not given, the cost of a call is measured before the first one.
   */
  readonly longestCall?: number;
  /** Receives the promise of the measurement of calls, which delays the first one. */
  readonly measuring?: (measured: Promise<unknown>) => void;
  readonly keeper: Keeper;
}

/** Draws sheets of a training, with the same latents each time. */
export interface SheetPainter {
  /** The sheet of a state. */
  paint(state: Tensors): Promise<Picture>;
  /** The sheet of the real images. */
  paintReal(): Picture;
  close(): Promise<void>;
}

/** The scores of a training after an epoch. */
export interface ScoresLine {
  /** The epoch. */
  readonly epoch: number;
  /** Scores by name, and the share of each class among samples. */
  readonly scores: Readonly<Record<string, number>>;
  readonly classes?: readonly number[];
  /** Warnings for the user. */
  readonly warnings: readonly string[];
}

/** Computes the scores of a training. */
export interface Examiner {
  /** The scores of a state after an epoch; undefined for epochs without scores. */
  examine(state: Tensors, epoch: number): Promise<ScoresLine | undefined>;
  close(): Promise<void>;
}

/** Saves the results of a training. */
export interface Keeper {
  /** Called when the models are loaded, before anything is saved. */
  begin(): Promise<void>;
  /** Called when nothing more will be saved, also if nothing was begun. */
  end?(): Promise<void>;
  metrics(lines: readonly MetricsLine[]): Promise<void>;
  /** Called after the last step: the training is complete or stopped. What is not saved yet is saved next. */
  lastStep?(): void;
  realImages(sheet: Picture): Promise<void>;
  /** The samples of the fixed latents after an epoch. */
  sheet(sheet: Picture, epoch: number): Promise<void>;
  /** The same within an epoch, whenever a checkpoint is saved, for display. */
  preview?(sheet: Picture): void;
  /** The scores of the state in the next checkpoint. */
  scores?(line: ScoresLine): Promise<void>;
  checkpoint(checkpoint: Checkpoint): Promise<void>;
  /** Called when a number is NaN or infinite, which ends the training. Nothing more is saved. */
  diverged?(where: Divergence): Promise<void>;
  /** The interval of checkpoints within an epoch, in milliseconds. */
  readonly interval: number;
  /** The name of the last checkpoint for messages. */
  readonly lastCheckpoint: string;
}

/** Where a training has diverged. */
export interface Divergence {
  readonly epoch: number;
  readonly step: number;
  /** The network that was updated. */
  readonly phase: string;
  /** The number that is NaN or infinite, in words. */
  readonly what: string;
}

/** The metrics of one step. */
export interface MetricsLine {
  readonly epoch: number;
  /** Step of the epoch, counted from 1. */
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Reported after every call of the training graph. */
export interface Progress extends MetricsLine {
  readonly epochs: number;
  readonly stepsInEpoch: number;
  /** All steps of this block. The last one is also in the properties of this object. */
  readonly lines: readonly MetricsLine[];
}

/** A future call of the training graph. */
export interface PlannedCall {
  readonly epoch: number;
  readonly order: Uint32Array;
  readonly block: Block;
  readonly endsEpoch: boolean;
}

/** The parts of a planned call that a feeder needs. */
export type FeederCall = Pick<PlannedCall, "epoch" | "block">;

/** The parts of a training that batch inputs are made from. */
export type Supplied = Pick<Training, "graph" | "dataset" | "batchSize" | "start" | "augmentations">;

/** Prepares batch inputs outside the training thread, for several calls at once. */
export interface Feeder {
  /** The number of calls that it can prepare at once. */
  readonly threads: number;
  prepare(planned: FeederCall): Promise<Tensors>;
  close(): Promise<void>;
}
