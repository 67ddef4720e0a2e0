import { add, div, mul, sqrt, square, sub, type Value } from "../graph/index.js";

/** What an optimizer remembers between steps, by name. */
export type Slots = Readonly<Record<string, Value>>;

/** A pure function from parameters, gradient and slots to the next parameters and slots. */
export interface Optimizer {
  /** Its settings, if it is Adam: ONNX Runtime's training API has an operator for that. */
  readonly adam?: AdamOptions;
  /** The shapes of the slots for a flat vector of `size` parameters; all start at zero. */
  slots(size: number): Readonly<Record<string, readonly number[]>>;
  update(
    parameters: Value,
    gradient: Value,
    slots: Slots,
  ): { readonly parameters: Value; readonly slots: Slots };
}

export interface AdamOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Added to the corrected root of the second moment. */
  readonly epsilon: number;
}

/**
 * Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980) as torch.optim.Adam computes it:
 *
 *     m ← β1·m + (1-β1)·g     v ← β2·v + (1-β2)·g²
 *     p ← p - η · (m / c1) / (√(v / c2) + ε)     with c = 1 - βᵗ
 *
 * Kept are M = m/(1-β1) and V = v/(1-β2), which need no factor at the gradient; their scales are gathered in two
 * scalars a step. With s = √(c2 / (1-β2)):  p ← p - η·s·(1-β1)/c1 · M / (√V + ε·s).
 *
 * The corrections c are the same averages taken of the constant 1, so they are slots too: c ← β·c + (1-β). That
 * is exact where 1 - βᵗ would cancel.
 */
export function adam(options: AdamOptions): Optimizer {
  const { learningRate, beta1, beta2, epsilon } = options;
  return {
    adam: options,
    slots: (size) => ({
      first_moment: [size],
      second_moment: [size],
      first_correction: [],
      second_correction: [],
    }),
    update(parameters, gradient, slots) {
      const decayed = (slot: Value, beta: number, news: Value) =>
        beta === 0 ? news : add(mul(slot, beta), news);
      const corrected = (slot: Value, beta: number) => add(mul(slot, beta), 1 - beta);
      const first = decayed(slots.first_moment, beta1, gradient);
      const second = decayed(slots.second_moment, beta2, square(gradient));
      const c1 = corrected(slots.first_correction, beta1);
      const c2 = corrected(slots.second_correction, beta2);
      const s = sqrt(div(c2, 1 - beta2));
      const rate = div(mul(s, learningRate * (1 - beta1)), c1);
      const step = mul(div(first, add(sqrt(second), mul(s, epsilon))), rate);
      return {
        parameters: sub(parameters, step),
        slots: { first_moment: first, second_moment: second, first_correction: c1, second_correction: c2 },
      };
    },
  };
}

export const optimizers = { adam } satisfies Record<string, (options: AdamOptions) => Optimizer>;
