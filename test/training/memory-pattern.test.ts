import { expect, test } from "vitest";
import { plansMemory } from "../../src/training/memory-pattern.js";

test.each([
  [{ channels: 1, height: 28, width: 28 }, 128, true],
  [{ channels: 1, height: 28, width: 28 }, 2048, false],
  [{ channels: 3, height: 32, width: 32 }, 64, true],
  [{ channels: 3, height: 64, width: 64 }, 128, false],
])("memory of a step for images of %j in batches of %i is planned: %s", (image, batchSize, planned) => {
  expect(plansMemory({ image, batchSize })).toBe(planned);
});
