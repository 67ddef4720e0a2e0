import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { crc32c } from "../../src/checksum.js";
import { encodePng } from "../../src/data/png.node.js";
import { paintSheet } from "../../src/data/sheet.js";
import { animationOf } from "../../src/runs/animation.js";
import { runFiles } from "../../src/runs/run-folder.js";
import { withTensorboard } from "../../src/runs/tensorboard.js";
import type { Workplace } from "../../src/training/training.js";
import { temporaryFolder } from "../data/files.js";

const nothing = async () => {};
const keeper = { begin: nothing, metrics: nothing, realImages: nothing, sheet: nothing, checkpoint: nothing };
const workplace = { keeper: { ...keeper, interval: 1, lastCheckpoint: "c" } } as unknown as Workplace;
const picture = (value: number) =>
  paintSheet(
    new Uint8Array(12).fill(value),
    { count: 3, channels: 1, height: 2, width: 2 },
    { range: [0, 255] },
  );

/** The data of the records in a file, whose checksums are compared. */
function recordsIn(bytes: Buffer): Buffer[] {
  const unmasked = (masked: number) => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(unmasked(bytes.readUInt32LE(at + 8))).toBe(crc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(unmasked(bytes.readUInt32LE(at + 12 + length))).toBe(crc32c(data));
    found.push(data);
    at += 16 + length;
  }
  return found;
}

test("CRC-32C is that of RFC 3720", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
});

test("events are records with checksums: version, start, settings, a record for each step, scores, sheets", async () => {
  const folder = await temporaryFolder();
  const { fakeImages } = runFiles(folder);
  await mkdir(dirname(fakeImages(1)), { recursive: true });
  await writeFile(fakeImages(1), await encodePng(picture(9)));
  const run = { folder, start: { position: { epoch: 0, step: 0 } } };
  const watched = withTensorboard(workplace, run, { stepsInEpoch: 10, settings: { recipe: "vanilla" } });
  await watched.keeper.begin();
  await watched.keeper.metrics([
    { epoch: 1, step: 9, metrics: { d_loss: 0.5 } },
    { epoch: 1, step: 10, metrics: { d_loss: 0.25 } },
  ]);
  await watched.keeper.scores?.({ epoch: 1, scores: { distance: 3 }, warnings: [] });
  await watched.keeper.sheet(picture(9), 1);
  const [name, ...others] = await readdir(join(folder, "tensorboard"));
  expect([name, others]).toEqual([expect.stringMatching(/^events\.out\.tfevents\.\d+\./), []]);
  const records = recordsIn(await readFile(join(folder, "tensorboard", name)));
  const holds = ["brain.Event:2", "", "settings/text_summary", "metrics/d_loss", "metrics/d_loss"];
  expect(records.map((data, i) => data.includes([...holds, "scores/distance", "samples"][i]))).toEqual(
    Array(7).fill(true),
  );
  // The step, field 2, comes after the time, nine bytes: tag 0x10 and a varint.
  expect(records.slice(3).map((data) => [data[9], data[10]])).toEqual(
    [9, 10, 10, 10].map((step) => [0x10, step]),
  );
});

test("an animation has the sheets of all epochs, or sixty of them with the first and the last", async () => {
  const sheets = await Promise.all(
    Array.from({ length: 130 }, async (_, i) => ({ epoch: i + 1, png: await encodePng(picture(i)) })),
  );
  const framesIn = (bytes: Uint8Array | undefined) => {
    const at = Buffer.from(bytes ?? []).indexOf("acTL");
    return Buffer.from(bytes ?? []).readUInt32BE(at + 4);
  };
  expect(framesIn(animationOf(sheets.slice(0, 3)))).toBe(3);
  expect(framesIn(animationOf(sheets))).toBe(60);
  expect(animationOf([])).toBeUndefined();
});
