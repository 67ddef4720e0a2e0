import { expect, test } from "vitest";
import { Jimp } from "../../src/data/jimp.node.js";
import { shrunk } from "../../src/data/shrink.js";
import { randomStream } from "../../src/tensors/random.js";

test.each([
  [100, 28],
  [100, 64],
  [29, 28],
  [56, 28],
  [333, 32],
  [7, 1],
  [2, 1],
])("%i pixels shrink to %i as in jimp", (side, size) => {
  const random = randomStream(side, "picture");
  const data = Buffer.from(
    Array.from({ length: side * side * 4 }, (_, i) => (i % 4 === 3 ? 255 : random.below(256))),
  );
  const picture = new Jimp({ data: Buffer.from(data), width: side, height: side });
  picture.resize({ w: size, h: size });
  expect(Buffer.from(shrunk(data, side, size)).equals(picture.bitmap.data)).toBe(true);
});
