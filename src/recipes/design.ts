import { GanOnnxError } from "../error.js";
import type { Value } from "../graph/index.js";
import type { Network } from "../networks/index.js";
import type { Optimizer } from "./optimizers/index.js";
import type { Schedule } from "./schedules.js";

/** Channels, height and width of the images. */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** The shape alone, of whatever has one. */
export function imageShapeOf({ channels, height, width }: ImageShape): ImageShape {
  return { channels, height, width };
}

export function pixelsOf({ channels, height, width }: ImageShape): number {
  return channels * height * width;
}

/**
 * What a step reads beside its state: bytes of images, their labels (of the same images), or random numbers, drawn outside the graph so that every
 * provider sees the same ones. `shape` is that of one sample.
 */
export interface StepInput {
  readonly role: "images" | "labels" | "normal" | "uniform";
  readonly shape: readonly number[];
}

/** The traced loss of a phase, a scalar, and the scalars worth recording. */
export interface Traced {
  readonly loss: Value;
  readonly metrics: Readonly<Record<string, Value>>;
}

export type Networks = Readonly<Record<string, Network>>;
/** What the networks of a design compute, by name. */
export type Forwards<N extends Networks> = {
  readonly [K in keyof N]: N[K] extends Network<infer F> ? F : never;
};

/** One kind of update within a step: which network learns, how often, from what. */
export interface Phase<N extends Networks = Networks> {
  readonly updates: keyof N & string;
  /** How many updates a step makes; more than one adds an axis to the phase's inputs and metrics. */
  readonly repeats: number;
  readonly inputs: Readonly<Record<string, StepInput>>;
  /**
   * Networks into which the gradient is computed as well, only to be thrown away: what leaving out PyTorch's `detach`
   * costs. The numbers stay the same.
   */
  readonly undetached?: readonly (keyof N & string)[];
  trace(networks: Forwards<N>, inputs: Readonly<Record<string, Value>>): Traced;
}

/** How samples are drawn once training is over. */
export interface Sampler<N extends Networks = Networks> {
  readonly kind: "generator";
  readonly network: keyof N & string;
  readonly latent: number;
  /** What black and white are in the images it makes. */
  readonly range: readonly [number, number];
  /** How many classes of images there are to choose from, when the choice is a second input: `label`, int64 [batch]. */
  readonly classes?: number;
  /** Latents [batch, latent] to images [batch, pixels] or [batch, channels, height, width]. */
  trace(networks: Forwards<N>, z: Value, label?: Value): Value;
  /** Bytes of images [batch, pixels] to what the model makes of them, if it can. */
  reconstruct?(networks: Forwards<N>, x: Value): Value;
}

/** How images are judged while a model is trained, in designs that have a network for that. */
export interface Critic<N extends Networks = Networks> {
  readonly network: keyof N & string;
  /** Its opinion of images [batch, pixels] in the sampler's range, and their classes if there are any: [batch]. */
  trace(networks: Forwards<N>, image: Value, label?: Value): Value;
  /** Whether the opinion is a probability that the image is real; else a larger number is more real. */
  readonly probability: boolean;
}

/** How images are told apart once training is over. */
export interface Classifier<N extends Networks = Networks> {
  readonly kind: "classifier";
  readonly network: keyof N & string;
  /** What black and white are in the images that it reads. */
  readonly range: readonly [number, number];
  readonly classes: number;
  /** Images [batch, pixels] in the range to logits [batch, classes], and the features that these are linear in. */
  trace(networks: Forwards<N>, images: Value): { readonly logits: Value; readonly features: Value };
}

/** Everything that defines how a model is trained and what comes of it. */
export interface Design<N extends Networks = Networks> {
  /** The name of the recipe that made it. */
  readonly recipe: string;
  /** The images that it learns from and makes. */
  readonly image: ImageShape;
  readonly networks: N;
  readonly optimizer: Optimizer;
  /** How the learning rate changes from step to step, if it does. */
  readonly schedule?: Schedule;
  readonly phases: readonly Phase<N>[];
  /** What `export` writes and sheets show. */
  readonly exported: Sampler<N> | Classifier<N>;
  readonly critic?: Critic<N>;
  /** Keep an exponential moving average of the exported network's parameters, and export and draw from that. */
  readonly averageDecay?: number;
  /** What is said of a step every now and then; `{name}` is where a metric goes. */
  readonly line: string;
}

/**
 * How a design draws samples.
 *
 * @param where what was asked for, in messages.
 * @throws GanOnnxError (usage) when it draws none.
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

/** A design as a recipe makes it: which recipe, and for which images, is added by `designOf`. */
export type RecipeDesign<N extends Networks = Networks> = Omit<Design<N>, "recipe" | "image">;
