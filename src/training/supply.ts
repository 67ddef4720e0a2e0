import type { Tensors } from "../tensors/tensor.js";
import { feedsOfBlock } from "./batches.js";
import type { Feeder, PlannedCall, Supplied } from "./training.js";

/** Planned calls with their batch inputs, in order. */
export interface Supply {
  next(): Promise<{ readonly planned: PlannedCall; readonly feeds: Tensors } | undefined>;
  close(): Promise<void>;
}

/**
 * For so many calls in a row preparing takes the most of the time, before others do it. (Before the first two there is
 * nothing else to take any.)
 */
const PATIENCE = 5;

/**
 * Prepare batch inputs here, each when it is asked for, while the call before computes. Where that takes longer than
 * the calls themselves (on a fast GPU, of large batches), have a feeder prepare them ahead.
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
      // Whoever takes them will hear of it.
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
