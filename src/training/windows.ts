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

/** Float32 scalars: how many steps have been made before this one, and how many there are in all, 0 if nobody knows. */
export interface Clock {
  readonly made: Value;
  readonly steps: Value;
}

/** What a phase of a step leaves: the states that it changes, by their names, and its metrics. */
export interface PhaseResult {
  readonly changed: Values;
  readonly metrics: Values;
}

/** What stands for the metrics of a phase in steps that do not compute it: the lowest float32. */
export const ABSENT = -3.4028234663852886e38;
/** Windows of a training without an end are shares of so many steps, unless its design says otherwise. */
const ENDLESS_STEPS = 5000;

/** The clock of a step, in designs where something goes by it. */
export function clockOf(design: Design, state: Values): Clock | undefined {
  return countsSteps(design) ? { made: state[STEP_STATE], steps: state[STEPS_STATE] } : undefined;
}

/**
 * A phase of a step, computed if the step lies in the phase's window: those from round(from · T) to before
 * round(until · T), of T steps in all. Outside of it the states stay as they are, and the metrics are {@link ABSENT}.
 *
 * @param compute is given what the phase's learning rate is multiplied by, where the phase has a schedule of its own.
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

/** The clock of a window, and whether the step lies in it. A window that reaches to the end has none of its own. */
function inWindow([from, until]: Window, { made, steps }: Clock, endless = ENDLESS_STEPS) {
  const total = where(greater(steps, 0), steps, endless);
  const at = (share: number) => floor(add(mul(total, share), 0.5));
  const first = at(from);
  const part: Clock = { made: sub(made, first), steps: sub(at(until), first) };
  // Whole numbers, compared half-way between two of them.
  const left = sub(sub(part.steps, 1), part.made);
  return { part, inside: greater(until < 1 ? minimum(part.made, left) : part.made, -0.5) };
}

function absent(shape: readonly number[]): Value {
  return constant("float32", shape, new Float32Array(sizeOf(shape)).fill(ABSENT));
}
