import type { Value } from "../graph/index.js";
import type { Network } from "./network.js";

/** What a recipe feeds to a network and expects of it, for one sample. */
export interface Role {
  /** The images or latents: their shape without the batch. */
  readonly input: readonly number[];
  /** How many classes the label says, if the recipe tells the network one. */
  readonly classes?: number;
  /** How many numbers come out for each sample. */
  readonly output: number;
  /** The last operator that is left out, if the network has it: the recipe's loss works on what enters it. */
  readonly without?: string;
}

/** How a network in a file is fed and read; shapes are those of one sample. */
export interface Ports {
  readonly input: string;
  /** `[100]`, or `[100, 1, 1]` as DCGANs have their latents. */
  readonly inputShape: readonly number[];
  readonly label?: string;
  /** Whole numbers, or one-hot vectors. */
  readonly labelType?: "int64" | "int32" | "float32";
  readonly labelShape?: readonly number[];
  /** The first output. */
  readonly output: string;
  /** Colours come last: [batch, height, width, channels], as TensorFlow has it. */
  readonly channelsLast?: boolean;
  /** It takes one sample at a time: its batch is fixed. */
  readonly single?: boolean;
  /** Its output comes after an operator that the recipe's network does without. */
  readonly dropped?: boolean;
}

/** A network that fills a role: x [batch, …], and the class of each sample [batch] if there are any, to [batch, output]. */
export type RoleNetwork = Network<(x: Value, label?: Value) => Value>;

/** The network that takes the place of one of a recipe's own; undefined where the recipe's stays. */
export type Replace = (name: string, role: Role) => RoleNetwork | undefined;
