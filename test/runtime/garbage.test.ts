import { expect, it } from "vitest";
import { collectGarbage } from "../../src/runtime/garbage.node.js";

const MIB = 2 ** 20;
const tensorBytes = () => process.memoryUsage().arrayBuffers;

it("frees tensors that nothing holds, and keeps those that are held", () => {
  collectGarbage();
  const before = tensorBytes();
  const held = new Float32Array(2 * MIB).fill(3);
  (() => Array.from({ length: 64 }, () => new Float32Array(MIB / 4)))();
  expect(tensorBytes() - before).toBeGreaterThan(60 * MIB);
  collectGarbage();
  expect(tensorBytes() - before).toBeLessThan(20 * MIB);
  expect(held.every((value) => value === 3)).toBe(true);
});
