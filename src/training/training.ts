import type { Dataset } from "../data/dataset.js";
import type { Picture } from "../data/sheet.js";
import type { Design } from "../recipes/index.js";
import type { Engine, OpenModel } from "../runtime/engine.js";
import type { Tensors } from "../tensors/tensor.js";
import type { Augmentation } from "./augment.js";
import type { Block } from "./batches.js";
import type { Checkpoint } from "./checkpoint.js";
import type { StepGraph } from "./step-graph.js";

/** One training, ready to go. */
export interface Training {
  readonly design: Design;
  readonly graph: StepGraph;
  readonly dataset: Dataset;
  /** Images that nothing is learnt from, for scores; the training images stand in where there are none. */
  readonly heldOut?: Dataset;
  readonly epochs: number;
  readonly batchSize: number;
  /** Steps in one call of the training graph; chosen by measuring unless given. */
  readonly stepsPerCall?: number;
  readonly start: Checkpoint;
  /** What is done to the images of a batch; nothing unless told. */
  readonly augmentations?: readonly Augmentation[];
}

/** What a training asks of where it takes place: in Node threads and a folder, in a browser a worker and its database. */
export interface Workplace {
  /** Load the training at a state. */
  openEngine(state: Tensors): Promise<Engine>;
  /** Load a model that draws. */
  readonly openModel: OpenModel;
  /** Have batches prepared elsewhere, where the thread that trains is not fast enough. */
  readonly openFeeder?: (training: Training) => Feeder;
  /** Draws the sheets; a painter of the standard ones unless given. */
  readonly openPainter?: (training: Training) => Promise<SheetPainter>;
  /** Scores what is learnt after epochs, where that is wanted. */
  readonly openExaminer?: () => Promise<Examiner | undefined>;
  /**
   * How long one call may take, in milliseconds, where people wait for it; calls have as many steps
   * as that allows, and one at first. Unless given, what a call costs is measured before the first one.
   */
  readonly longestCall?: number;
  readonly keeper: Keeper;
}

/** Draws what a training makes of the same latents each time. */
export interface SheetPainter {
  /** The sheet of a state. */
  paint(state: Tensors): Promise<Picture>;
  /** The sheet of the real images. */
  paintReal(): Picture;
  close(): Promise<void>;
}

/** Scores of what a training has learnt. */
export interface ScoresLine {
  /** After which epoch. */
  readonly epoch: number;
  /** Numbers by name, and the share of each class among samples. */
  readonly scores: Readonly<Record<string, number>>;
  readonly classes?: readonly number[];
  /** What a user should hear of them. */
  readonly warnings: readonly string[];
}

/** Scores what a training has learnt. */
export interface Examiner {
  /** The scores of a state after an epoch; undefined after epochs that are not scored. */
  examine(state: Tensors, epoch: number): Promise<ScoresLine | undefined>;
  close(): Promise<void>;
}

/** Keeps what a training makes. */
export interface Keeper {
  /** The models are loaded; nothing is kept yet. */
  begin(): Promise<void>;
  /** Nothing more will be kept; also where nothing was begun. */
  end?(): Promise<void>;
  metrics(lines: readonly MetricsLine[]): Promise<void>;
  realImages(sheet: Picture): Promise<void>;
  /** What the fixed latents give after an epoch. */
  sheet(sheet: Picture, epoch: number): Promise<void>;
  /** The same within an epoch, whenever a checkpoint is kept there, for those who watch. */
  preview?(sheet: Picture): void;
  /** The scores of the state whose checkpoint is kept next. */
  scores?(line: ScoresLine): Promise<void>;
  checkpoint(checkpoint: Checkpoint): Promise<void>;
  /** A number is none any more, which ends the training; nothing more is kept. */
  diverged?(where: Divergence): Promise<void>;
  /** How often a checkpoint is kept within an epoch, in milliseconds. */
  readonly interval: number;
  /** What the last checkpoint is called in messages. */
  readonly lastCheckpoint: string;
}

/** Where a training has left the numbers. */
export interface Divergence {
  readonly epoch: number;
  readonly step: number;
  /** The network that was updated. */
  readonly phase: string;
  /** What is no number, in words. */
  readonly what: string;
}

/** What is recorded of one step. */
export interface MetricsLine {
  readonly epoch: number;
  /** Step of the epoch, counted from 1. */
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Told after every call of the training graph. */
export interface Progress extends MetricsLine {
  readonly epochs: number;
  readonly stepsInEpoch: number;
  /** All steps of this block, the last one being the line's own. */
  readonly lines: readonly MetricsLine[];
}

/** A call of the training graph that is still to be made. */
export interface PlannedCall {
  readonly epoch: number;
  readonly order: Uint32Array;
  readonly block: Block;
  readonly endsEpoch: boolean;
}

/** What a feeder has to know of such a call. */
export type FeederCall = Pick<PlannedCall, "epoch" | "block">;

/** What batch inputs are made from. */
export type Supplied = Pick<Training, "graph" | "dataset" | "batchSize" | "start" | "augmentations">;

/** Prepares batch inputs outside of the thread that trains, for several calls at once. */
export interface Feeder {
  /** How many calls it can work on at once. */
  readonly threads: number;
  prepare(planned: FeederCall): Promise<Tensors>;
  close(): Promise<void>;
}
