import type { Value } from "../graph/index.js";
import type { Network } from "./network.js";

/** What a recipe passes to a network and expects from it, per sample. */
export interface Role {
  /** The shape of the images or latents, without the batch. */
  readonly input: readonly number[];
  /** The number of classes, if the recipe passes a label. */
  readonly classes?: number;
  /** The number of outputs per sample. */
  readonly output: number;
  /** An operator to remove from the end, if the network has it: the recipe's loss works on its input. */
  readonly without?: string;
}

/** The inputs and the output of a network in a file. Shapes are per sample. */
export interface Ports {
  readonly input: string;
  /** `[100]`, or `[100, 1, 1]` for the latents of DCGANs. */
  readonly inputShape: readonly number[];
  readonly label?: string;
  /** Integers, or one-hot vectors as float32. */
  readonly labelType?: "int64" | "int32" | "float32";
  readonly labelShape?: readonly number[];
  /** The first output. */
  readonly output: string;
  /** Channels are last: [batch, height, width, channels], as in TensorFlow. */
  readonly channelsLast?: boolean;
  /** The batch size is fixed at 1. */
  readonly single?: boolean;
  /** The last operator, which the recipe does not need, was removed. */
  readonly dropped?: boolean;
}

/**
 * A network that fills a role: x [batch, …], and the class of each sample [batch] if there are classes, to [batch,
 * output].
 */
export type RoleNetwork = Network<(x: Value, label?: Value) => Value>;

/** Returns the network that replaces one of the recipe's own, or undefined to keep the recipe's. */
export type Replace = (name: string, role: Role) => RoleNetwork | undefined;
