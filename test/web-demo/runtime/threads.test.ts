import { describe, expect, test } from "vitest";
import { chosenThreads } from "../../../web-demo/runtime/threads.js";

describe("the number of threads", () => {
  test.each([
    ["all of an idle machine", 4, { 4: 11, 2: 10 }, 4],
    ["those that do not wait for a core", 4, { 4: 24, 2: 11 }, 2],
    ["one where the others have to wait", 4, { 4: 40, 2: 19 }, 1],
    ["one where there is one", 1, {}, 1],
  ])("is %s", async (_, most, times: Record<number, number>, expected) => {
    expect(await chosenThreads(most, 10, async (threads) => times[threads])).toBe(expected);
  });
});
