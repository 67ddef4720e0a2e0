import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { collectGarbage } from "../../src/runtime/garbage.node.js";

const MIB = 2 ** 20;
const tensor = () => new Float32Array(2 * MIB).fill(3);
const tensorBytes = () => process.memoryUsage().arrayBuffers;

it("frees tensors that nothing holds, and keeps those that are held", async () => {
  collectGarbage();
  const before = tensorBytes();
  const held = tensor();
  const refs = [held, ...Array.from({ length: 8 }, tensor)].map((each) => new WeakRef(each));
  expect(tensorBytes() - before).toBeGreaterThan(60 * MIB);
  // What a WeakRef is made of lives until the event loop has gone round.
  await setImmediate();
  collectGarbage();
  expect(refs.filter((ref) => ref.deref()).map((ref) => ref.deref() === held)).toEqual([true]);
  // V8 gives the memory back in a thread of its own.
  await expect.poll(() => tensorBytes() - before).toBeLessThan(20 * MIB);
  expect(held.every((value) => value === 3)).toBe(true);
});
