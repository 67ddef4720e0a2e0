import { sub, type Value } from "../../graph/index.js";

/** The tensors that an optimizer keeps between steps, by name. */
export type Slots = Readonly<Record<string, Value>>;

/** Inputs of an update other than the gradient of its own parameters. */
export interface Surroundings {
  /** The factor of the learning rate in this step; the number 1 without a schedule. */
  readonly factor: Value | 1;
  /** The gradients of the loss for all pieces of the network. */
  readonly gradients: readonly Value[];
}

/** The parameters and slots of a piece, see `piecesOf`. */
export interface PieceUpdate {
  readonly parameters: Value;
  readonly slots: Slots;
}

/**
 * A pure function from a gradient, the parameters and the slots to an update and the next slots: one stage between the
 * gradient and the value that is subtracted from the parameters. As in optax
 * (https://optax.readthedocs.io/en/latest/api/transformations.html), {@link chain} combines transformations.
 */
export interface Transformation {
  /**
   * The shapes of the slots for a vector of `size` parameters: `[size]`, or `[]` for a scalar shared by all pieces of a
   * network. All slots start at zero.
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
  /** The name for messages: `sgd`, `adam with clipped gradients`. */
  readonly name: string;
  /** Its settings, if it is plain Adam: ONNX Runtime's training API has an operator for it. */
  readonly adam?: AdamOptions;
  slots(size: number): Readonly<Record<string, readonly number[]>>;
  update(gradient: Value, piece: PieceUpdate, surroundings: Surroundings): PieceUpdate;
}

export interface AdamOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Added to the square root of the corrected second moment. */
  readonly epsilon: number;
}

/** Apply transformations one after the other. Their slots must have different names. */
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

/** The optimizer that subtracts the update of a transformation: p ← p - update. */
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
