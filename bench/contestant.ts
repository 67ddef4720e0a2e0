import { setTimeout } from "node:timers/promises";

/** The result of one round of a contestant. */
export interface Round {
  /** Milliseconds (or megabytes) of one unit of work: a step, a start, a sheet of samples. */
  readonly cost: number;
  /** Computed metrics, in order, to compare contestants. */
  readonly metrics?: Readonly<Record<string, readonly number[]>>;
}

/** A program that does the same work as gan-onnx. */
export interface Contestant {
  /** With its version: `PyTorch 2.15.0 eager`. */
  readonly name: string;
  round(): Promise<Round>;
  close(): Promise<void>;
}

/** A contestant that is not started yet. `open` throws an error if it cannot be started. */
export interface Entrant {
  readonly name: string;
  open(): Promise<Contestant>;
}

/** One row of the table. Without `notRun`, all numbers are present. */
export interface Row {
  readonly what: string;
  readonly against: string;
  readonly unit: Unit;
  /** Medians of the rounds. */
  readonly ours?: number;
  readonly theirs?: number;
  /** Theirs divided by ours: the median of the ratios of the rounds, and the smallest and largest ratio. */
  readonly ratio?: number;
  readonly spread?: readonly [number, number];
  /** The largest difference between the computed metrics, relative to numbers above 1. */
  readonly difference?: number;
  readonly notRun?: string;
}

export type Unit = "ms" | "MB";

/** A comparison: the same work by gan-onnx and by others. */
export interface Comparison {
  readonly what: string;
  readonly unit: Unit;
  readonly ours: Entrant;
  readonly others: readonly Entrant[];
}

/** Milliseconds between two turns. */
const REST = 100;

/** Above this difference, two contestants compute different things. Float32 sums in another order stay far below. */
const TOLERANCE = 2e-3;

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Let all contestants take turns, so that other load on the machine affects them equally. In the first round all start
 * from the same weights. It warms up, and checks that all compute the same numbers; it is not counted.
 *
 * A contestant that cannot start, fails, or computes something else gets a row with the reason.
 */
export async function compare({ what, unit, ours, others }: Comparison, rounds: number): Promise<Row[]> {
  const running = await Promise.all([ours, ...others].map((entrant) => enter(entrant)));
  const [own, ...rest] = running;
  try {
    for (let round = 0; round <= rounds && own.notRun === undefined; round++) {
      for (const runner of running) {
        // Thread pools keep spinning for a while after their work: wait, so that this does not affect the next turn.
        await setTimeout(REST);
        await turn(runner);
        if (round === 0) disqualify(runner, own);
      }
    }
  } finally {
    await Promise.all(running.map(({ contestant }) => contestant?.close()));
  }
  if (rest.length === 0) return [alone(what, unit, own)];
  return rest.map((runner) => rowOf(what, unit, own, runner));
}

interface Runner {
  readonly name: string;
  readonly contestant?: Contestant;
  readonly rounds: Round[];
  difference?: number;
  notRun?: string;
}

async function enter({ name, open }: Entrant): Promise<Runner> {
  try {
    const contestant = await open();
    return { name: contestant.name, contestant, rounds: [] };
  } catch (error) {
    return { name, rounds: [], notRun: reasonOf(error) };
  }
}

async function turn(runner: Runner): Promise<void> {
  if (!runner.contestant || runner.notRun !== undefined) return;
  try {
    runner.rounds.push(await runner.contestant.round());
  } catch (error) {
    runner.notRun = reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split("\n")[0];
}

function disqualify(runner: Runner, own: Runner): void {
  const [theirs, ours] = [runner.rounds[0]?.metrics, own.rounds[0]?.metrics];
  if (runner === own || !theirs || !ours) return;
  runner.difference = Math.max(
    ...Object.entries(ours).map(([name, values]) => difference(theirs[name], values)),
  );
  if (runner.difference > TOLERANCE) {
    runner.notRun = `computes something else: the first numbers differ by ${runner.difference.toPrecision(2)}`;
  }
}

/** The largest relative difference over the common length; infinite if a number is missing. */
function difference(a: readonly number[] | undefined, b: readonly number[]): number {
  const length = Math.min(a?.length ?? 0, b.length);
  if (a === undefined || length === 0) return Infinity;
  const all = Array.from({ length }, (_, i) => Math.abs(a[i] - b[i]) / Math.max(1, Math.abs(b[i])));
  return all.some(Number.isNaN) ? Infinity : Math.max(...all);
}

const counted = ({ rounds }: Runner) => rounds.slice(1).map(({ cost }) => cost);

function alone(what: string, unit: Unit, own: Runner): Row {
  const notRun = own.notRun;
  return { what, against: "", unit, ...(notRun === undefined ? { ours: median(counted(own)) } : { notRun }) };
}

function rowOf(what: string, unit: Unit, own: Runner, { name, notRun, ...runner }: Runner): Row {
  const row = { what, against: name, unit };
  if (own.notRun !== undefined) return { ...row, notRun: `gan-onnx: ${own.notRun}` };
  const ours = counted(own);
  if (notRun !== undefined) return { ...row, ours: median(ours), notRun };
  const theirs = counted({ name, ...runner });
  const ratios = ours.map((cost, round) => theirs[round] / cost);
  return {
    ...row,
    ours: median(ours),
    theirs: median(theirs),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    difference: runner.difference,
  };
}
