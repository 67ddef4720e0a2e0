import { describe, expect, test } from "vitest";
import { Feeders } from "../../src/training/feeder.node.js";
import { calls, feedsOf, training } from "../helpers/planned-calls.js";

describe("threads that prepare batches", () => {
  test("make the numbers that this thread makes, to the bit", async () => {
    const feeders = new Feeders(training, 3);
    const prepared = await Promise.all(calls.map((call) => feeders.prepare(call)));
    await feeders.close();
    expect(prepared).toEqual(calls.map((call) => feedsOf(call)));
  });

  test("augment as this thread does", async () => {
    const augmentations = ["flip", "shift"] as const;
    const feeders = new Feeders({ ...training, augmentations }, 2);
    const prepared = await Promise.all(calls.map((call) => feeders.prepare(call)));
    await feeders.close();
    expect(prepared).toEqual(calls.map((call) => feedsOf(call, augmentations)));
    expect(prepared).not.toEqual(calls.map((call) => feedsOf(call)));
  });

  test("say why they failed", async () => {
    const batches = training.graph.batches.map((input) => ({
      ...input,
      role: "normal" as const,
      shape: null as never,
    }));
    const feeders = new Feeders({ ...training, graph: { ...training.graph, batches } }, 1);
    const refused = /^a thread that prepares batches: failed \(.*null.*\); check that there is enough memory/;
    await expect(feeders.prepare(calls[0])).rejects.toThrow(refused);
    await expect(feeders.prepare(calls[1])).rejects.toThrow(refused);
    await feeders.close();
  });
});
