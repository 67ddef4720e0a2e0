import type { Engine } from "../runtime/engine.js";
import { dtypes, sizeOf, type Tensors } from "../tensors/tensor.js";
import type { BatchInput } from "./step-graph.js";

/** How long a call of some steps takes. */
export interface TimedCall {
  readonly steps: number;
  readonly milliseconds: number;
}

/** Two calls that tell what a call costs from what a step costs. */
export interface CallTimes {
  readonly short: TimedCall;
  readonly long: TimedCall;
}

/** An engine that can be put back to where it was. */
export type Restorable = Pick<Engine, "consume" | "getState"> & Required<Pick<Engine, "setState">>;

export function isRestorable(engine: Engine): engine is Engine & Restorable {
  return engine.setState !== undefined;
}

/** How much of the time may go into what a call costs besides its steps: copies of the state to a device and back. */
const SHARE = 0.02;
/** No call should take longer, in milliseconds: until it ends, progress and Ctrl-C wait. */
const LONGEST_CALL = 500;
/** What the batch inputs of a call may take, in bytes. */
const MEMORY = 2 ** 28;
/** How many steps the longer of the measured calls has, and how often both are timed. */
const MEASURED = { steps: 16, times: 3 };
/** About how long one measured call may take, so that slow steps do not keep a training waiting. */
const PATIENCE = 100;

/** The most steps that one call may have, for memory and because calls do not reach over the end of an epoch. */
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
 * The fewest steps in a call for which its own cost is at most 2% of its time: with t(k) = c + s·k from the two measured
 * calls, c ≤ 0.02·(c + s·k). No more than `most`, nor than `longest` milliseconds have room for.
 */
export function chooseStepsPerCall({ short, long }: CallTimes, most: number, longest = LONGEST_CALL): number {
  const step = (long.milliseconds - short.milliseconds) / (long.steps - short.steps);
  // Where the longer call was no slower, noise or a cost without steps was measured: as many as there is time for.
  if (!(step > 0)) return Math.max(1, Math.min(most, Math.floor(longest / (long.milliseconds / long.steps))));
  const call = short.milliseconds - step * short.steps;
  const wanted = Math.ceil(((1 / SHARE - 1) * call) / step - 1e-9);
  return Math.max(1, Math.min(wanted, most, Math.floor((longest - call) / step)));
}

/** How many steps the next call has. */
export interface CallLength {
  steps(): number;
  /** A call of so many steps took so long, in milliseconds. */
  took(steps: number, milliseconds: number): void;
}

/**
 * So many steps each time, but for a machine that has become busy: half as many when a call takes twice too long.
 *
 * @param first steps of the first call, where more are not known to fit: each call that leaves room for it doubles them.
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
 * How many steps of the longer measured call fit into `longest` milliseconds, all of its time taken for steps. A step
 * that noise made look short cannot raise it, as it can {@link chooseStepsPerCall}.
 */
export function surelyFitting({ long }: CallTimes, longest = LONGEST_CALL): number {
  return Math.max(1, Math.floor(longest / (long.milliseconds / long.steps)));
}

/**
 * One step at first, so that there is something to see at once, then as many as `longest` milliseconds have room for,
 * by what the last call took; at most twice as many as that one had.
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
 * Time calls of one step and of several on an engine that does nothing else meanwhile. Its state is what it was
 * afterwards, also when a call fails.
 *
 * @param feedsOf batch inputs for a number of steps.
 * @param most steps in a call, at least 2.
 * @param now the clock, in milliseconds.
 */
export async function measureCalls(
  engine: Restorable,
  feedsOf: (steps: number) => Tensors,
  most: number,
  now: () => number = () => performance.now(),
): Promise<CallTimes> {
  const state = await engine.getState();
  try {
    const time = async (steps: number) => {
      const feeds = feedsOf(steps);
      const started = now();
      await engine.consume(feeds);
      return now() - started;
    };
    await time(1); // Kernels are chosen and compiled, memory is taken: the first call of a length is slower.
    const once = await time(1);
    const steps = Math.min(Math.max(2, Math.round(PATIENCE / once)), MEASURED.steps, most);
    const times = once * steps > PATIENCE ? 1 : MEASURED.times;
    await time(steps);
    const [short, long]: [number[], number[]] = [[], []];
    for (let i = 0; i < times; i++) {
      short.push(await time(1));
      long.push(await time(steps));
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
