import { describe, expect, test } from "vitest";
import { randomStream } from "../../src/tensors/random.js";
import { type Augmentation, augment, augmentationsIn } from "../../src/training/augment.js";

/** `count` images of 8x8 in two planes; every pixel tells its plane, row and column, and no two rows are alike. */
const form = { channels: 2, height: 8, width: 8 };
const pixelsOf = (plane: number) => Array.from({ length: 64 }, (_, i) => plane * 100 + i);
const images = (count: number) =>
  Uint8Array.from(Array.from({ length: count }, () => [...pixelsOf(0), ...pixelsOf(1)]).flat());

/** An image moved and mirrored as the definition says: outside of it its edge goes on. */
function moved(flip: boolean, down: number, across: number): number[] {
  const inside = (at: number) => Math.min(7, Math.max(0, at));
  return [0, 1].flatMap((plane) =>
    Array.from({ length: 64 }, (_, i) => {
      const [y, x] = [inside(Math.floor(i / 8) - down), inside((i % 8) - across)];
      return plane * 100 + 8 * y + (flip ? 7 - x : x);
    }),
  );
}

/** How often each of the ways to move an image occurs. */
function ways(augmentations: readonly Augmentation[], count = 4000) {
  const data = images(count);
  augment(data, form, augmentations, randomStream(3, "augment"));
  const known = new Map(
    [false, true].flatMap((flip) =>
      [-1, 0, 1].flatMap((down) =>
        [-1, 0, 1].map((across) => [moved(flip, down, across).join(), `${flip} ${down} ${across}`] as const),
      ),
    ),
  );
  const counts: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const way = known.get([...data.subarray(128 * i, 128 * (i + 1))].join()) ?? "unknown";
    counts[way] = (counts[way] ?? 0) + 1;
  }
  return counts;
}

describe("augment", () => {
  test.each<[Augmentation[], number]>([
    [["flip"], 2],
    [["shift"], 9],
    [["flip", "shift"], 18],
  ])("%s moves images in every way it says, each equally often", (augmentations, different) => {
    const counts = ways(augmentations);
    expect(counts).not.toHaveProperty("unknown");
    expect(Object.keys(counts)).toHaveLength(different);
    for (const count of Object.values(counts)) {
      // Within five standard deviations of a binomial distribution.
      const share = 1 / different;
      const spread = 5 * Math.sqrt(4000 * share * (1 - share));
      expect(Math.abs(count - 4000 * share)).toBeLessThan(spread);
    }
  });

  test("leaves images alone unless it is told to do something", () => {
    expect(ways([])).toEqual({ "false 0 0": 4000 });
  });
});

test("a list of augmentations is read in any order, and refused with an unknown name", () => {
  expect(augmentationsIn("shift, flip")).toEqual(["flip", "shift"]);
  expect(augmentationsIn("shift")).toEqual(["shift"]);
  for (const wrong of ["", "flip,", "turn", "flip shift"]) expect(augmentationsIn(wrong)).toBeUndefined();
});
