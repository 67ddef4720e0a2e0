import { GanOnnxError } from "../error.js";
import type { Value } from "../graph/index.js";
import type { Network } from "../networks/index.js";
import type { Optimizer } from "./optimizers/index.js";
import type { Schedule } from "./schedules.js";

/** Channels, height and width of images. */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Only the image shape of an object. */
export function imageShapeOf({ channels, height, width }: ImageShape): ImageShape {
  return { channels, height, width };
}

export function pixelsOf({ channels, height, width }: ImageShape): number {
  return channels * height * width;
}

/**
 * An input of a step in addition to its state: bytes of images, labels of these images, or random numbers. They are
 * drawn outside the graph, so that every provider gets the same numbers. `shape` is that of one sample.
 */
export interface StepInput {
  readonly role: "images" | "labels" | "normal" | "uniform";
  readonly shape: readonly number[];
}

/** The traced loss of a phase, a scalar, and its metrics, also scalars. */
export interface Traced {
  readonly loss: Value;
  readonly metrics: Readonly<Record<string, Value>>;
}

export type Networks = Readonly<Record<string, Network>>;
/** The functions of the networks of a design, by name. */
export type Forwards<N extends Networks> = {
  readonly [K in keyof N]: N[K] extends Network<infer F> ? F : never;
};

/** A part of a training, as fractions of all its steps, from 0 to 1. */
export type Window = readonly [from: number, until: number];

/** The optimization of a phase, if it differs from that of the design. */
export interface OwnOptimization {
  /** A part of the state names that distinguishes its slots from those of other optimizers. */
  readonly name: string;
  readonly optimizer: Optimizer;
  /** In a phase with a window, the schedule counts the steps of the window. */
  readonly schedule?: Schedule;
}

/** One kind of update within a step: which networks are updated, how often, from which loss. */
export interface Phase<N extends Networks = Networks> {
  /** Empty if only the forward passes have results: the buffers of a network. */
  readonly updates: (keyof N & string) | readonly (keyof N & string)[];
  /**
   * For networks of which only a part is updated: the beginning of the names of its parameters, before a dot. The
   * optimizer may get gradients of 0 for small parameters of other parts, so it must not have weight decay.
   */
  readonly parts?: { readonly [K in keyof N]?: string };
  /** When the phase is computed, if not in every step. Outside its window it has no metrics. */
  readonly during?: Window;
  readonly optimization?: OwnOptimization;
  /** The number of updates in a step. If there are several, the phase's inputs and metrics have an additional axis. */
  readonly repeats: number;
  readonly inputs: Readonly<Record<string, StepInput>>;
  /**
   * Networks whose gradients are computed too and not used: the cost of omitting PyTorch's `detach`. The results are
   * the same.
   */
  readonly undetached?: readonly (keyof N & string)[];
  trace(networks: Forwards<N>, inputs: Readonly<Record<string, Value>>): Traced;
}

/** How to draw samples after training. */
export interface Sampler<N extends Networks = Networks> {
  readonly kind: "generator";
  readonly network: keyof N & string;
  /** The part of the network that draws, if it is a part: a file may replace it, and its parameters begin with it. */
  readonly part?: string;
  readonly latent: number;
  /** The values of black and white in the images. */
  readonly range: readonly [number, number];
  /** The number of classes, if the class is a second input: `label`, int64 [batch]. */
  readonly classes?: number;
  /** Latents [batch, latent] to images [batch, pixels] or [batch, channels, height, width]. */
  trace(networks: Forwards<N>, z: Value, label?: Value): Value;
  /** The same with less computation, for the sheets of a training. The default is `trace`. */
  preview?(networks: Forwards<N>, z: Value, label?: Value): Value;
  /** Bytes of images [batch, pixels] to their reconstructions, if the model reconstructs. */
  reconstruct?(networks: Forwards<N>, x: Value): Value;
}

/** How to judge images during training, in designs with a discriminator. */
export interface Critic<N extends Networks = Networks> {
  readonly network: keyof N & string;
  /** The opinion of images [batch, pixels] in the sampler's range, and their classes if there are any: [batch]. */
  trace(networks: Forwards<N>, image: Value, label?: Value): Value;
  /** Whether the opinion is the probability that the image is real. Otherwise larger numbers are more real. */
  readonly probability: boolean;
}

/** How to classify images after training. */
export interface Classifier<N extends Networks = Networks> {
  readonly kind: "classifier";
  readonly network: keyof N & string;
  /** The values of black and white in the input images. */
  readonly range: readonly [number, number];
  readonly classes: number;
  /**
   * Images [batch, pixels] in the range to logits [batch, classes], and the features that the last linear layer reads.
   */
  trace(networks: Forwards<N>, images: Value): { readonly logits: Value; readonly features: Value };
}

/** Defines how a model is trained and used. */
export interface Design<N extends Networks = Networks> {
  /** The name of its recipe. */
  readonly recipe: string;
  /** The shape of its images. */
  readonly image: ImageShape;
  readonly networks: N;
  readonly optimizer: Optimizer;
  /** The schedule of the learning rate, if there is one. */
  readonly schedule?: Schedule;
  readonly phases: readonly Phase<N>[];
  /** What `export` writes and sheets show. */
  readonly exported: Sampler<N> | Classifier<N>;
  readonly critic?: Critic<N>;
  /** If given, keep an exponential moving average of the exported network's parameters, and export and draw with it. */
  readonly averageDecay?: number;
  /**
   * Limit the decay in step n, counted from 0, to n / (n + 10), so that the average does not keep the initial values.
   */
  readonly averageWarmUp?: boolean;
  /** The number of steps for the windows of an infinite training. The last windows are then infinite too. */
  readonly endlessSteps?: number;
  /**
   * A progress message. `{name}` is replaced by a metric. Of several parts, those are used whose metrics the step has.
   */
  readonly line: string | readonly string[];
}

/** The networks that a phase updates. */
export function updatedBy({ updates }: Phase): readonly string[] {
  return typeof updates === "string" ? [updates] : updates;
}

/** Whether anything in a design depends on the number of the step. */
export function countsSteps({ schedule, phases, averageWarmUp }: Design): boolean {
  const counting = phases.some(({ during, optimization }) => during ?? optimization?.schedule);
  return schedule !== undefined || averageWarmUp === true || counting;
}

/** The progress message for a step with these metrics, see `Design.line`. */
export function lineOf({ line }: Design, metrics: Readonly<Record<string, number>>): string {
  const namesIn = (part: string) => [...part.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const parts = typeof line === "string" ? [line] : line;
  return parts
    .filter((part) => namesIn(part).every((name) => name in metrics))
    .map((part) => part.replace(/\{(\w+)\}/g, (_, name: string) => metrics[name].toFixed(6)))
    .join(" ");
}

/**
 * The sampler of a design.
 *
 * @param where what was requested, for messages.
 * @throws {@link GanOnnxError} (usage) when the design has none.
 */
export function samplerOf({ recipe, exported }: Design, where: string): Sampler {
  if (exported.kind === "generator") return exported;
  throw new GanOnnxError({
    what: `the recipe ${recipe} draws no images`,
    where,
    fix: "choose a recipe with a generator",
    kind: "usage",
  });
}

/** A design as returned by a recipe. `designOf` adds the recipe's name and the image shape. */
export type RecipeDesign<N extends Networks = Networks> = Omit<Design<N>, "recipe" | "image">;
