import { describe, expect, test } from "vitest";
import { supplyOf } from "../../src/training/supply.js";
import type { PlannedCall } from "../../src/training/training.js";
import { calls, feedsOf, training } from "../helpers/planned-calls.js";

function* plan(): Generator<PlannedCall, undefined> {
  yield* calls;
}

/** A clock for which preparing takes a time, and what happens between takes another. */
function clock(preparing: number, between: number): () => number {
  let [time, read] = [0, 0];
  return () => {
    read += 1;
    time += read % 2 === 1 ? preparing : between;
    return time;
  };
}

/** A feeder that notes what it was asked for. */
function notingFeeder(threads: number) {
  const asked: unknown[] = [];
  const feeder = {
    threads,
    closed: false,
    prepare: async ({ epoch, block }: Pick<PlannedCall, "epoch" | "block">) => {
      asked.push(block);
      return feedsOf(calls.find((call) => call.epoch === epoch && call.block.firstStep === block.firstStep)!);
    },
    close: async () => {
      feeder.closed = true;
    },
  };
  return { asked, feeder };
}

describe("the supply of batches", () => {
  test("is prepared here while the calls take longer", async () => {
    const { asked, feeder } = notingFeeder(2);
    const supply = supplyOf(training, plan(), () => feeder, clock(1, 2));
    for (const planned of calls) expect(await supply.next()).toEqual({ planned, feeds: feedsOf(planned) });
    expect(await supply.next()).toBeUndefined();
    await supply.close();
    expect([asked, feeder.closed]).toEqual([[], false]);
  });

  test("is prepared elsewhere, several calls ahead, once that takes longer", async () => {
    const { asked, feeder } = notingFeeder(3);
    const supply = supplyOf(training, plan(), () => feeder, clock(2, 1));
    for (const [i, planned] of calls.entries()) {
      expect(await supply.next()).toEqual({ planned, feeds: feedsOf(planned) });
      const ahead = Math.min(i + 1 + 3, calls.length);
      expect(asked).toEqual(i < 4 ? [] : calls.slice(5, ahead).map(({ block }) => block));
    }
    expect(await supply.next()).toBeUndefined();
    await supply.close();
    expect(feeder.closed).toBe(true);
  });

  test("is prepared here all the same where there is nobody else", async () => {
    const supply = supplyOf(training, plan(), undefined, clock(2, 1));
    for (const planned of calls) expect(await supply.next()).toEqual({ planned, feeds: feedsOf(planned) });
    await supply.close();
  });
});
