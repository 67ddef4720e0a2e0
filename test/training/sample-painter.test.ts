import { describe, expect, test } from "vitest";
import type { Picture } from "../../src/data/sheet.js";
import { samplerOf } from "../../src/recipes/index.js";
import { orderOfEpoch } from "../../src/training/batches.js";
import { SamplePainter } from "../../src/training/sample-painter.js";
import { stateWith } from "../../src/training/state.js";
import { onCpu } from "../helpers/on-cpu.js";
import { designed, grey } from "../helpers/recipes.js";

const [side, pixels, count] = [4, 16, 70];
const image = grey(side);
const images = Uint8Array.from({ length: count * pixels }, (_, i) => (i * 37) % 256);
const dataset = { name: "test", count, ...image, images };
const seed = 5;

/** Sheets put this many black pixels around each image. */
const padding = 2;

interface Sheet {
  readonly width: number;
  readonly height: number;
  /** The grey values of the image in a row and a column of the sheet. */
  at(row: number, column: number): number[];
}

function readSheet({ width, height, data }: Picture): Sheet {
  const at = (row: number, column: number) =>
    Array.from({ length: pixels }, (_, i) => {
      const y = padding + row * (side + padding) + Math.floor(i / side);
      const x = padding + column * (side + padding) + (i % side);
      return data[4 * (y * width + x)];
    });
  return { width, height, at };
}

/** Width or height of a sheet with so many images in a row or column. */
const extent = (images: number) => padding + images * (side + padding);

/** What `paint` makes of a design whose weights are all zero but for one bias, and the sheet of real images. */
async function sheets(recipe: "vanilla" | "vae", lastBias: string, bias: readonly number[]) {
  const design = designed(recipe, { latent: 2, width: 3 }, image);
  const painter = await SamplePainter.open(design, samplerOf(design, "test"), { dataset, open: onCpu, seed });
  try {
    const state = stateWith(design, (_, name, { out }) => {
      if (name === lastBias) out.set(bias);
    });
    return { real: readSheet(painter.paintReal()), fake: readSheet(await painter.paint(state)) };
  } finally {
    await painter.close();
  }
}

const bias = Array.from({ length: pixels }, (_, i) => (i - 8) / 4);
const first = orderOfEpoch(seed, 1, count);
const realImage = (n: number) => [...images.subarray(first[n] * pixels, (first[n] + 1) * pixels)];

describe("a sheet", () => {
  test("has 64 images in rows of 8; the real ones are the first that the training sees", async () => {
    const { real, fake } = await sheets("vanilla", "gen.4.bias", bias);
    for (const { width, height } of [real, fake]) expect([width, height]).toEqual([extent(8), extent(8)]);
    expect(real.at(0, 0)).toEqual(realImage(0));
    expect(real.at(7, 6)).toEqual(realImage(62));
    const drawn = bias.map((b) => Math.round(((Math.tanh(b) + 1) / 2) * 255));
    expect(fake.at(0, 0)).toEqual(drawn);
    expect(fake.at(7, 7)).toEqual(drawn);
  });

  test("of an autoencoder has real images beside the samples, and below each what becomes of it", async () => {
    const { real, fake } = await sheets("vae", "fc4.bias", bias);
    expect([real.width, real.height]).toEqual([extent(8), extent(8)]);
    expect([fake.width, fake.height]).toEqual([extent(16), extent(8)]);
    const drawn = bias.map((b) => Math.round(255 / (1 + Math.exp(-b))));
    for (let row = 0; row < 8; row++) {
      for (const column of [0, 7]) {
        expect(fake.at(row, column)).toEqual(drawn);
        const beside = row % 2 === 0 ? realImage((row / 2) * 8 + column) : drawn;
        expect(fake.at(row, 8 + column)).toEqual(beside);
      }
    }
  });
});
