import {
  add,
  cond,
  constant,
  floor,
  greater,
  minimum,
  mul,
  sizeOf,
  sub,
  type Value,
  where,
  withScope,
} from "../graph/index.js";
import { countsSteps, type Design, type Phase, type Window } from "../recipes/index.js";
import { STEP_STATE, STEPS_STATE } from "./names.js";

type Values = Readonly<Record<string, Value>>;

/** Float32 scalars: the number of previous steps, and the total number of steps, 0 if it is unknown. */
export interface Clock {
  readonly made: Value;
  readonly steps: Value;
}

/** The results of a phase in a step: the states that it changes, by name, and its metrics. */
export interface PhaseResult {
  readonly changed: Values;
  readonly metrics: Values;
}

/** The value of a phase's metrics in steps without the phase: the lowest float32. */
export const ABSENT = -3.4028234663852886e38;
/** The number of steps for windows of an infinite training, unless its design specifies another. */
const ENDLESS_STEPS = 5000;

/** The clock of a step, in designs that depend on the number of the step. */
export function clockOf(design: Design, state: Values): Clock | undefined {
  return countsSteps(design) ? { made: state[STEP_STATE], steps: state[STEPS_STATE] } : undefined;
}

/**
 * A phase of a step. It is computed if the step is in the phase's window: from round(from · T) to before round(until ·
 * T), of T steps. Outside the window, states do not change, and the metrics are {@link ABSENT}.
 *
 * @param compute receives the factor of the phase's learning rate, if the phase has its own schedule.
 */
export function withinWindow(
  design: Design,
  phase: Phase,
  { clock, state }: { clock: Clock | undefined; state: Values },
  compute: (factor: Value | 1 | undefined) => PhaseResult,
): PhaseResult {
  const { during, optimization } = phase;
  const computed = (part: Clock | undefined) => {
    const factor = part && withScope("schedule", () => optimization?.schedule?.factor(part.made, part.steps));
    return compute(factor ?? (optimization && 1));
  };
  if (!during || !clock) return computed(clock);

  const { part, inside } = withScope("window", () => inWindow(during, clock, design.endlessSteps));
  const names: { changed: string[]; metrics: string[] } = { changed: [], metrics: [] };
  let shapes: readonly (readonly number[])[] = [];
  const chosen = cond<Values>(
    inside,
    () => {
      const { changed, metrics } = computed(part);
      names.changed = Object.keys(changed);
      names.metrics = Object.keys(metrics);
      shapes = Object.values(metrics).map(({ shape }) => shape as readonly number[]);
      return { ...changed, ...metrics };
    },
    () => ({
      ...Object.fromEntries(names.changed.map((name) => [name, state[name]])),
      ...Object.fromEntries(names.metrics.map((name, i) => [name, absent(shapes[i])])),
    }),
  );
  const picked = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, chosen[key]]));
  return { changed: picked(names.changed), metrics: picked(names.metrics) };
}

/** The clock of a window, and whether the step is in it. A window up to the end uses the clock of the training. */
function inWindow([from, until]: Window, { made, steps }: Clock, endless = ENDLESS_STEPS) {
  const total = where(greater(steps, 0), steps, endless);
  const at = (share: number) => floor(add(mul(total, share), 0.5));
  const first = at(from);
  const part: Clock = { made: sub(made, first), steps: sub(at(until), first) };
  // Compare whole numbers half-way between them.
  const left = sub(sub(part.steps, 1), part.made);
  return { part, inside: greater(until < 1 ? minimum(part.made, left) : part.made, -0.5) };
}

function absent(shape: readonly number[]): Value {
  return constant("float32", shape, new Float32Array(sizeOf(shape)).fill(ABSENT));
}
