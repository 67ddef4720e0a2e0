import type { Value } from "../graph/index.js";
import type { DType } from "../tensors/tensor.js";
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

/** How a network from a file is fed and read; shapes are those of one sample. */
export interface Ports {
  readonly x: { readonly name: string; readonly shape: readonly number[] };
  readonly label?: {
    readonly name: string;
    readonly dtype: DType;
    readonly shape: readonly number[];
    readonly classes: number;
  };
  /** The first output. */
  readonly output: string;
  /** Whether that comes after an operator which the recipe's network does without. */
  readonly dropped: boolean;
}

/** A network that fills a role: x [batch, …], and the class of each sample [batch] if there are any, to [batch, output]. */
export type RoleNetwork = Network<(x: Value, label?: Value) => Value>;

/** The network that takes the place of one of a recipe's own; undefined where the recipe's stays. */
export type Replace = (name: string, role: Role) => RoleNetwork | undefined;
