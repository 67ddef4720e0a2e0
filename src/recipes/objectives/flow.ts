import {
  add,
  cast,
  clip,
  div,
  greater,
  loop,
  maximum,
  mean,
  minimum,
  mul,
  reshape,
  scalar,
  sigmoid,
  square,
  sub,
  type Value,
  where,
} from "../../graph/index.js";
import type { AtTimes, Network } from "../../networks/index.js";
import type { Phase } from "../design.js";
import { toSigned } from "./gan.js";

export type Flowing = { readonly flow: Network<AtTimes> };

/** The prediction of the network. The velocity can be computed from both kinds. */
export const predictions = ["velocity", "image"] as const;
export const solvers = ["euler", "heun"] as const;
type Prediction = (typeof predictions)[number];
type Solver = (typeof solvers)[number];

/** The minimum of 1 - t as a divisor. */
const LEAST = 0.05;

/** The velocity at x and t for a prediction: (x̂ - x) / (1 - t) if it is an image. */
function velocityOf(prediction: Prediction, predicted: Value, x: Value, t: Value): Value {
  return prediction === "velocity" ? predicted : div(sub(predicted, x), maximum(sub(1, t), LEAST));
}

/**
 * Flow matching on straight lines from noise to images (Lipman et al. 2023, https://arxiv.org/abs/2210.02747, with
 * σ_min = 0; rectified flow, Liu et al. 2023, https://arxiv.org/abs/2209.03003):
 *
 *     x_t = (1 - t)·ε + t·x      loss: mean (v(x_t, t) - (x - ε))²
 *
 * The times are logit-normal, t = σ(m + s·n) with a standard normal n (Esser et al. 2024,
 * https://arxiv.org/abs/2403.03206, section 3.1).
 */
export function flowMatching({
  pixels,
  labelled,
  ...options
}: MatchingOptions & { readonly pixels: number; readonly labelled: boolean }): readonly Phase<Flowing>[] {
  return [
    {
      updates: "flow",
      repeats: 1,
      inputs: {
        x: { role: "images", shape: [pixels] },
        eps: { role: "normal", shape: [pixels] },
        time: { role: "normal", shape: [1] },
        ...(labelled ? { y: { role: "labels", shape: [] } as const } : {}),
      },
      trace({ flow }, { x, eps, time, y }) {
        const loss = matching(flow, { target: toSigned(x), eps, time, label: y }, options);
        return { loss, metrics: { loss } };
      },
    },
  ];
}

/** The distribution of the times of training, and what the network predicts. */
export interface MatchingOptions {
  readonly prediction: Prediction;
  readonly timeMean: number;
  readonly timeScale: number;
}

/**
 * The loss of {@link flowMatching} for targets [batch, size].
 *
 * @param eps standard normal, [batch, size].
 * @param time standard normal, [batch, 1].
 */
export function matching(
  flow: AtTimes,
  {
    target,
    eps,
    time,
    label,
  }: { readonly target: Value; readonly eps: Value; readonly time: Value; readonly label?: Value },
  { prediction, timeMean, timeScale }: MatchingOptions,
): Value {
  const t = sigmoid(add(mul(time, timeScale), timeMean));
  const between = add(mul(eps, sub(1, t)), mul(target, t));
  const velocity = velocityOf(prediction, flow(between, t, label), between, t);
  return mean(square(sub(velocity, sub(target, eps))));
}

/** Images from noise z [batch, pixels], by {@link integrated}. */
export function solved(
  flow: AtTimes,
  from: { readonly z: Value; readonly label?: Value },
  options: SolverOptions,
): Value {
  return clip(integrated(flow, from, options), -1, 1);
}

export interface SolverOptions {
  readonly prediction: Prediction;
  readonly steps: number;
  readonly solver: Solver;
}

/**
 * Samples from noise z [batch, size]: solve the flow's equation dx/dt = v(x, t) from t = 0 to 1 in equal steps, as a
 * Loop, which has no gradient. Euler's method calls the network once per step. Heun's method calls it twice and uses the mean of the
 * velocities at both ends, except in the last step, because the velocity at t = 1 is not defined.
 */
export function integrated(
  flow: AtTimes,
  { z, label }: { readonly z: Value; readonly label?: Value },
  { prediction, steps, solver }: SolverOptions,
): Value {
  const velocity = (x: Value, t: Value) => velocityOf(prediction, flow(x, t, label), x, t);
  const { state } = loop(scalar(steps, "int64"), "sampling_steps", { x: z }, (iteration, { x }) => {
    const made = reshape(cast(iteration, { to: "float32" }), [1, 1]);
    const v = velocity(x, mul(made, 1 / steps));
    const euler = add(x, mul(v, 1 / steps));
    if (solver === "euler") return { state: { x: euler }, collected: {} };
    const end = minimum(mul(add(made, 1), 1 / steps), 1 - LEAST);
    const mean = mul(add(v, velocity(euler, end)), 0.5);
    const isLast = greater(made, steps - 1.5);
    return { state: { x: where(isLast, euler, add(x, mul(mean, 1 / steps))) }, collected: {} };
  });
  return state.x;
}
