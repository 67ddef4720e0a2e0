import {
  add,
  clip,
  cos,
  div,
  greater,
  maximum,
  minimum,
  mul,
  sub,
  type Value,
  where,
} from "../graph/index.js";

/** The shape of the learning rate over a training, after the warm-up. */
const shapes = {
  constant: undefined,
  /** From 1 down to 0 in equal steps. */
  linear: (progress: Value) => sub(1, progress),
  /** Half a cosine from 1 down to 0 (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983). */
  cosine: (progress: Value) => mul(add(cos(mul(progress, Math.PI)), 1), 0.5),
} satisfies Record<string, ((progress: Value) => Value) | undefined>;

export type ScheduleName = keyof typeof shapes;
export const scheduleNames = Object.keys(shapes) as ScheduleName[];

/** The factor of the learning rate in each step. */
export interface Schedule {
  readonly name: string;
  /**
   * The factor in a step.
   *
   * @param step the number of previous steps, a float32 scalar; exact up to 2^24.
   * @param steps the total number of steps of the training. 0 if it is unknown; the factor is then 1 after the warm-up.
   */
  factor(step: Value, steps: Value): Value;
}

/**
 * A schedule with warm-up; undefined if the learning rate is constant.
 *
 * In the first W = `warmupSteps` steps the factor rises: (t + 1) / W in step t, counted from 0. Then it follows the
 * shape at (t - W) / (T - W), where T is the total number of steps of the training.
 */
export function scheduleOf(name: ScheduleName, warmupSteps: number): Schedule | undefined {
  const shape: ((progress: Value) => Value) | undefined = shapes[name];
  if (!shape && warmupSteps === 0) return undefined;
  return {
    name,
    factor(step, steps) {
      const progress = clip(div(sub(step, warmupSteps), maximum(sub(steps, warmupSteps), 1)), 0, 1);
      const factor = shape?.(mul(progress, minimum(steps, 1)));
      if (warmupSteps === 0 && factor) return factor;
      const rising = div(add(step, 1), warmupSteps);
      return where(greater(warmupSteps, step), rising, factor ?? 1);
    },
  };
}

/**
 * A schedule for a phase with a window: (t + 1) / W in the first W = `warmupSteps` steps, then 1 up to the fraction
 * `until` of all steps, then linear down to `last`.
 */
export function held({
  warmupSteps,
  until,
  last,
}: {
  warmupSteps: number;
  until: number;
  last: number;
}): Schedule {
  return {
    name: "held",
    factor(step, steps) {
      const progress = clip(div(step, maximum(steps, 1)), until, 1);
      const falling = sub(1, mul(sub(progress, until), (1 - last) / (1 - until)));
      return minimum(div(add(step, 1), warmupSteps), falling);
    },
  };
}
