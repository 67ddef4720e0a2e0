import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { LARGEST_COUNT, readSettings } from "../../web-demo/sampling/address.js";
import { dataIn } from "../../web-demo/training/data-files.js";
import { damaged, everyCase, expectUnharmed, PATIENCE } from "../helpers/fuzz.js";

afterAll(expectUnharmed);

test(
  "an address of the page is read, whatever it says",
  () => {
    const name = fc.constantFrom("seed", "count", "digit", "model", "number", "walk");
    const pairs = fc.array(fc.tuple(name, fc.oneof(fc.string(), fc.integer().map(String))));
    return everyCase(pairs, (pairs) => {
      const { seed, count, walk } = readSettings(`?${new URLSearchParams(pairs)}`);
      expect(Number.isSafeInteger(seed)).toBe(true);
      expect(count).toBeLessThanOrEqual(LARGEST_COUNT);
      expect(walk?.length ?? 2).toBe(2);
    });
  },
  PATIENCE,
);

test(
  "files of images and labels for the page are read, or refused by one line",
  () => {
    const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8);
    const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 0, 9);
    return everyCase(fc.tuple(damaged(images), damaged(labels)), ([images, labels]) =>
      dataIn([new File([images], "train-images-idx3-ubyte"), new File([labels], "train-labels-idx1-ubyte")]),
    );
  },
  PATIENCE,
);
