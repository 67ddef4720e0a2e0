import { threadCount } from "./page-provider.js";

/** Where threads that share the work take longer than this share of the time of one, the machine is busy: one is faster. */
const SPREAD = 1.4;
/** Rounds of a measurement; the shortest counts. */
const ROUNDS = 3;

let measured: Promise<number> | undefined;

/**
 * How many threads really work at once on this machine now: ONNX Runtime's threads wait for each other after every
 * operator, so that one whose core is taken by something else stops all. Measured once in a worker.
 */
export function measuredThreads(): Promise<number> {
  measured ??= measure(threadCount());
  return measured;
}

async function measure(most: number): Promise<number> {
  if (most === 1) return 1;
  const helpers = Array.from({ length: most - 1 }, () => {
    return new Worker(new URL("./spin-worker.ts", import.meta.url), { type: "module", name: "measuring" });
  });
  try {
    const ready = helpers.map((helper) => answered(helper));
    await Promise.all(ready);
    const alone = await shortest(() => spin());
    return await chosenThreads(most, alone, (threads) =>
      shortest(async () => {
        const others = helpers.slice(0, threads - 1).map((helper) => {
          helper.postMessage(undefined);
          return answered(helper);
        });
        spin();
        await Promise.all(others);
      }, SPREAD * alone),
    );
  } catch {
    // A browser without workers in workers has no threads for ONNX Runtime either.
    return 1;
  } finally {
    for (const helper of helpers) helper.terminate();
  }
}

/**
 * The most threads, by halves, that do as much work each as one alone, in nearly its time.
 *
 * @param time how long so many threads take, each with the work of one.
 */
export async function chosenThreads(
  most: number,
  alone: number,
  time: (threads: number) => Promise<number>,
): Promise<number> {
  for (let threads = most; threads > 1; threads >>= 1) {
    if ((await time(threads)) < SPREAD * alone) return threads;
  }
  return 1;
}

/** The time of the fastest of some rounds. One that is faster than `enough` shows enough. */
async function shortest(task: () => Promise<unknown> | unknown, enough = 0): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < ROUNDS && least >= enough; round++) {
    const began = performance.now();
    await task();
    least = Math.min(least, performance.now() - began);
  }
  return least;
}

const answered = (helper: Worker) =>
  new Promise<void>((resolve, reject) => {
    helper.onmessage = () => resolve();
    helper.onerror = () => reject(new Error("the worker failed"));
  });

/** Some milliseconds of arithmetic. */
export function spin(): number {
  let value = 1;
  for (let i = 0; i < 1e6; i++) value = (value * 1.000001) % 7;
  return value;
}
