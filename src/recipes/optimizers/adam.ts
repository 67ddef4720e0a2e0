import { add, div, mul, scale, sqrt, square, type Value } from "../../graph/index.js";
import { type AdamOptions, descending, type Optimizer, type Transformation } from "./transformation.js";

/**
 * Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980), as computed by torch.optim.Adam:
 *
 *     m ← β1·m + (1-β1)·g     v ← β2·v + (1-β2)·g²
 *     update = η · (m / c1) / (√(v / c2) + ε)     with c = 1 - βᵗ
 *
 * The slots are M = m/(1-β1) and V = v/(1-β2), which need no factor for the gradient. Their scales are combined into
 * two scalars per step. With s = √(c2 / (1-β2)):  update = η·s·(1-β1)/c1 · M / (√V + ε·s).
 *
 * The corrections c are the same averages of the constant 1, so they are slots too: c ← β·c + (1-β). This is exact
 * where 1 - βᵗ would lose digits by cancellation.
 */
export function scaledByAdam({ learningRate, beta1, beta2, epsilon }: AdamOptions): Transformation {
  return {
    slots: (size) => ({
      first_moment: [size],
      second_moment: [size],
      first_correction: [],
      second_correction: [],
    }),
    update(gradient, { slots }, { factor }) {
      const decayed = (slot: Value, beta: number, news: Value) =>
        beta === 0 ? news : add(mul(slot, beta), news);
      const corrected = (slot: Value, beta: number) => add(mul(slot, beta), 1 - beta);
      const first = decayed(slots.first_moment, beta1, gradient);
      const second = decayed(slots.second_moment, beta2, square(gradient));
      const c1 = corrected(slots.first_correction, beta1);
      const c2 = corrected(slots.second_correction, beta2);
      const s = sqrt(div(c2, 1 - beta2));
      const rate = scale(div(mul(s, learningRate * (1 - beta1)), c1), factor);
      return {
        update: mul(div(first, add(sqrt(second), mul(s, epsilon))), rate),
        slots: { first_moment: first, second_moment: second, first_correction: c1, second_correction: c2 },
      };
    },
  };
}

/** The Adam optimizer, see {@link scaledByAdam}. */
export function adam({ learningRate, beta1, beta2, epsilon }: AdamOptions): Optimizer {
  const options = { learningRate, beta1, beta2, epsilon };
  return descending("adam", scaledByAdam(options), options);
}
