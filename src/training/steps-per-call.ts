import type { Engine } from "../runtime/engine.js";
import { dtypes, sizeOf, type Tensors } from "../tensors/tensor.js";
import type { BatchInput } from "./step-graph.js";

/** The duration of a call with some steps. */
export interface TimedCall {
  readonly steps: number;
  readonly milliseconds: number;
}

/** Two calls, to separate the cost of a call from the cost of a step. */
export interface CallTimes {
  readonly short: TimedCall;
  readonly long: TimedCall;
}

/** An engine whose state can be restored. */
export type Restorable = Pick<Engine, "consume" | "getState"> & Required<Pick<Engine, "setState">>;

export function isRestorable(engine: Engine): engine is Engine & Restorable {
  return engine.setState !== undefined;
}

/** The maximum share of time for the fixed cost of a call: copies of the state to a device and back. */
const SHARE = 0.02;
/** The maximum duration of a call, in milliseconds: progress and Ctrl-C must wait until it ends. */
const LONGEST_CALL = 500;
/** The maximum size of the batch inputs of a call, in bytes. */
const MEMORY = 2 ** 28;
/** The number of steps of the longer measured call, and how often both calls are timed. */
const MEASURED = { steps: 16, times: 3 };
/**
 * The approximate maximum duration of a measured call, in milliseconds, so that training with slow steps starts soon.
 */
const PATIENCE = 100;

/** The maximum number of steps in a call: limited by memory, and by the epoch, because calls end with it. */
export function mostStepsPerCall(
  inputs: readonly BatchInput[],
  { batchSize, stepsInEpoch }: { batchSize: number; stepsInEpoch: number },
): number {
  const bytes = inputs.map(({ dtype, repeats, inputShape }) => {
    const rows = inputShape.slice(inputShape.indexOf("batch") + 1) as number[];
    return batchSize * repeats * sizeOf(rows) * dtypes[dtype].Elements.BYTES_PER_ELEMENT;
  });
  const fitting = Math.floor(MEMORY / bytes.reduce((sum, size) => sum + size, 0));
  return Math.max(1, Math.min(fitting, stepsInEpoch));
}

/**
 * The smallest number of steps for which the fixed cost is at most 2% of a call: with t(k) = c + s·k from the two
 * measured calls, c ≤ 0.02·(c + s·k). At most `most`, and at most as many as fit in `longest` milliseconds.
 */
export function chooseStepsPerCall({ short, long }: CallTimes, most: number, longest = LONGEST_CALL): number {
  const step = (long.milliseconds - short.milliseconds) / (long.steps - short.steps);
  // The longer call was not slower: the measurement is noise, or steps cost nothing. Use as many as fit in `longest`.
  if (!(step > 0)) return Math.max(1, Math.min(most, Math.floor(longest / (long.milliseconds / long.steps))));
  const call = short.milliseconds - step * short.steps;
  const needed = Math.ceil(((1 / SHARE - 1) * call) / step - 1e-9);
  return Math.max(1, Math.min(needed, most, Math.floor((longest - call) / step)));
}

/** Decides the number of steps of the next call. */
export interface CallLength {
  steps(): number;
  /** Report the duration of a call with this number of steps, in milliseconds. */
  took(steps: number, milliseconds: number): void;
}

/**
 * A constant number of steps, halved when a call takes more than twice `longest`, because the machine is busy.
 *
 * @param first steps of the first call, if it is not certain that more fit. Each call with room for it doubles the
 * number.
 */
export function steadyLength(steps: number, longest = LONGEST_CALL, first = steps): CallLength {
  let now = Math.min(first, steps);
  return {
    steps: () => now,
    took(made, milliseconds) {
      if (milliseconds >= 2 * longest) now = Math.max(1, Math.floor(now / 2));
      else if (now < steps && made >= now && 2 * milliseconds <= longest) now = Math.min(steps, 2 * now);
    },
  };
}

/**
 * The number of steps of the longer measured call that fit in `longest` milliseconds, if all its time is spent on
 * steps. Unlike {@link chooseStepsPerCall}, it cannot be too large because of a noisy measurement.
 */
export function surelyFitting({ long }: CallTimes, longest = LONGEST_CALL): number {
  return Math.max(1, Math.floor(longest / (long.milliseconds / long.steps)));
}

/**
 * One step first, so that there is a result immediately, then as many as fit in `longest` milliseconds according to the
 * last call, at most twice as many as that call had.
 */
export function growingLength(most: number, longest: number): CallLength {
  let now = 1;
  return {
    steps: () => now,
    took(steps, milliseconds) {
      const fitting = Math.floor((longest * steps) / Math.max(milliseconds, 1e-3));
      now = Math.max(1, Math.min(fitting, 2 * steps, most));
    },
  };
}

/**
 * Time calls with one step and with several on an idle engine. Afterwards its state is restored, also when a call
 * fails.
 *
 * @param feedsOf returns batch inputs for a number of steps.
 * @param most the maximum number of steps in a call, at least 2.
 * @param now the clock, in milliseconds.
 * @param signal stops it after the current call.
 * @returns undefined when it was stopped.
 */
export async function measureCalls(
  engine: Restorable,
  feedsOf: (steps: number) => Tensors,
  most: number,
  { now = () => performance.now(), signal }: { now?: () => number; signal?: AbortSignal } = {},
): Promise<CallTimes | undefined> {
  const state = await engine.getState();
  try {
    const time = async (steps: number) => {
      const feeds = feedsOf(steps);
      const started = now();
      await engine.consume(feeds);
      return now() - started;
    };
    const stopped = () => signal?.aborted === true;
    if (stopped()) return undefined;
    await time(1); // Warm up: the first call of a length is slower, because kernels are compiled and memory is allocated.
    if (stopped()) return undefined;
    const once = await time(1);
    if (stopped()) return undefined;
    const steps = Math.min(Math.max(2, Math.round(PATIENCE / once)), MEASURED.steps, most);
    const times = once * steps > PATIENCE ? 1 : MEASURED.times;
    await time(steps);
    if (stopped()) return undefined;
    const [short, long]: [number[], number[]] = [[], []];
    for (let i = 0; i < times; i++) {
      short.push(await time(1));
      if (stopped()) return undefined;
      long.push(await time(steps));
      if (stopped()) return undefined;
    }
    return {
      short: { steps: 1, milliseconds: median(short) },
      long: { steps, milliseconds: median(long) },
    };
  } finally {
    await engine.setState(state);
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
