import { sub, type Value } from "../../graph/index.js";

/** What an optimizer remembers between steps, by name. */
export type Slots = Readonly<Record<string, Value>>;

/** What an update may depend on besides the gradient of its own parameters. */
export interface Surroundings {
  /** What the learning rate is multiplied by in this step; the number 1 where there is no schedule. */
  readonly factor: Value | 1;
  /** The gradients of all pieces of the network, as the loss gives them. */
  readonly gradients: readonly Value[];
}

/** A part of a network's parameters, see `piecesOf`. */
export interface PieceUpdate {
  readonly parameters: Value;
  readonly slots: Slots;
}

/**
 * A pure function from the gradient of some parameters, the parameters and its slots to their update and the next slots:
 * one step on the way from a gradient to what is subtracted from the parameters. As in optax
 * (https://optax.readthedocs.io/en/latest/api/transformations.html), transformations are put together by {@link chain}.
 */
export interface Transformation {
  /**
   * The shapes of the slots for a vector of `size` parameters: `[size]`, or `[]` for a number that serves all pieces of
   * a network. All start at zero.
   */
  slots(size: number): Readonly<Record<string, readonly number[]>>;
  update(
    gradient: Value,
    piece: PieceUpdate,
    surroundings: Surroundings,
  ): { readonly update: Value; readonly slots: Slots };
}

/** A pure function from parameters, gradient and slots to the next parameters and slots. */
export interface Optimizer {
  /** What it is called in messages: `sgd`, `adam with clipped gradients`. */
  readonly name: string;
  /** Its settings, if it is Adam and nothing else: ONNX Runtime's training API has an operator for that. */
  readonly adam?: AdamOptions;
  slots(size: number): Readonly<Record<string, readonly number[]>>;
  update(gradient: Value, piece: PieceUpdate, surroundings: Surroundings): PieceUpdate;
}

export interface AdamOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Added to the corrected root of the second moment. */
  readonly epsilon: number;
}

/** Transformations one after the other, each on what the one before makes of the gradient. Their slots differ by name. */
export function chain(...transformations: readonly Transformation[]): Transformation {
  return {
    slots: (size) => Object.assign({}, ...transformations.map((one) => one.slots(size))),
    update(gradient, piece, surroundings) {
      let update = gradient;
      let slots: Slots = {};
      for (const one of transformations) {
        const result = one.update(update, piece, surroundings);
        update = result.update;
        slots = { ...slots, ...result.slots };
      }
      return { update, slots };
    },
  };
}

/** The optimizer that subtracts what a transformation makes of the gradient: p ← p - update. */
export function descending(name: string, { slots, update }: Transformation, adam?: AdamOptions): Optimizer {
  return {
    name,
    adam,
    slots,
    update(gradient, piece, surroundings) {
      const result = update(gradient, piece, surroundings);
      return { parameters: sub(piece.parameters, result.update), slots: result.slots };
    },
  };
}
