import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { collectGarbage } from "../../src/runtime/garbage.node.js";

const tensor = () => new Float32Array(2 ** 18).fill(3);

it("collects tensors that nothing holds, and keeps those that are held", async () => {
  const held = tensor();
  const refs = [held, tensor(), tensor()].map((each) => new WeakRef(each));
  // What a WeakRef is made of lives until the event loop has gone round.
  await setImmediate();
  collectGarbage();
  expect(refs.map((ref) => ref.deref() !== undefined)).toEqual([true, false, false]);
  expect(held.every((value) => value === 3)).toBe(true);
});
