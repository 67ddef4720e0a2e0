import type { Tensors } from "../tensors/tensor.js";
import { feedsOfBlock } from "./batches.js";
import type { Feeder, PlannedCall, Supplied } from "./training.js";

/** Planned calls with their batch inputs, in order. */
export interface Supply {
  next(): Promise<{ readonly planned: PlannedCall; readonly feeds: Tensors } | undefined>;
  close(): Promise<void>;
}

/**
 * The number of consecutive calls in which preparation takes most of the time, before a feeder is used. (The first two
 * always count: there is no other work before them.)
 */
const PATIENCE = 5;

/**
 * Prepare batch inputs in this thread, on demand, while the previous call computes. If that takes longer than the calls
 * themselves (on a fast GPU, with large batches), use a feeder to prepare them ahead.
 *
 * @param now the clock, in milliseconds.
 */
export function supplyOf(
  { graph, dataset, batchSize, start, augmentations }: Supplied,
  plan: Iterator<PlannedCall, undefined>,
  openFeeder: (() => Feeder) | undefined,
  now: () => number = () => performance.now(),
): Supply {
  const { seed } = start.position;
  const ready: { readonly planned: PlannedCall; readonly feeds: Promise<Tensors> }[] = [];
  let feeder: Feeder | undefined;
  let busy = 0;
  let last = now();

  const prepareHere = ({ epoch, order, block }: PlannedCall): Tensors => {
    const started = now();
    const keys = { seed, epoch, order, augmentations };
    const feeds = feedsOfBlock(graph.batches, dataset, keys, block, batchSize);
    const ended = now();
    busy = ended - started > (ended - last) / 2 ? busy + 1 : 0;
    last = ended;
    if (busy === PATIENCE) feeder = openFeeder?.();
    return feeds;
  };
  const refill = (count: number) => {
    while (ready.length < count) {
      const { value: planned } = plan.next();
      if (!planned) return;
      const feeds = feeder ? feeder.prepare(planned) : Promise.resolve(prepareHere(planned));
      // The caller that awaits them gets the error.
      feeds.catch(() => {});
      ready.push({ planned, feeds });
    }
  };
  return {
    async next() {
      refill(1);
      const first = ready.shift();
      if (feeder) refill(feeder.threads);
      return first && { planned: first.planned, feeds: await first.feeds };
    },
    close: async () => feeder?.close(),
  };
}
