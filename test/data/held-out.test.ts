import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drawDigits } from "../../src/data/drawn.js";
import { loadParts, parted } from "../../src/data/held-out.node.js";
import { idx } from "../helpers/idx.js";
import { temporaryFolder } from "./files.js";

const dataset = {
  name: "d",
  count: 50,
  channels: 1,
  height: 28,
  width: 28,
  ...drawDigits({ count: 50, seed: 1 }),
};

test("a tenth is held out by the seed; no image is in both parts, none is lost, labels stay with their images", () => {
  const { training, heldOut } = parted(dataset, 3);
  expect([training.count, heldOut.count]).toEqual([45, 5]);
  const key = ({ images, labels }: typeof training, i: number) =>
    `${labels?.[i]}:${images.subarray(i * 784, (i + 1) * 784).join()}`;
  const keys = (part: typeof training) => Array.from({ length: part.count }, (_, i) => key(part, i));
  expect([...keys(training), ...keys(heldOut)].sort()).toEqual(keys(dataset).sort());
  expect(parted(dataset, 3)).toEqual({ training, heldOut });
  expect(keys(parted(dataset, 4).heldOut)).not.toEqual(keys(heldOut));
});

test("a folder's own test set is taken, and all training images stay", async () => {
  const folder = join(await temporaryFolder(), "digits");
  await mkdir(folder);
  const write = (set: string, count: number) =>
    Promise.all([
      writeFile(
        join(folder, `${set}-images-idx3-ubyte`),
        idx([count, 28, 28], dataset.images.subarray(0, count * 784)),
      ),
      writeFile(join(folder, `${set}-labels-idx1-ubyte`), idx([count], dataset.labels.subarray(0, count))),
    ]);
  await write("train", 50);
  expect((await loadParts(folder, { seed: 0 })).training.count).toBe(45);
  await write("t10k", 20);
  const { training, heldOut } = await loadParts(folder, { seed: 0 });
  expect([training.count, heldOut.count]).toEqual([50, 20]);
  expect(heldOut.labels).toEqual(dataset.labels.subarray(0, 20));
});
