import { appendFile, copyFile, readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { bestKeeper } from "../../src/runs/best.js";
import {
  checkpointOfEpoch,
  keepCheckpoint,
  newestCheckpoint,
  readCheckpoint,
  restoreCheckpoint,
} from "../../src/runs/checkpoints.js";
import { runFiles } from "../../src/runs/run-folder.js";
import type { Checkpoint } from "../../src/training/checkpoint.js";
import { initialState } from "../../src/training/state.js";
import { temporaryFolder } from "../data/files.js";
import { tree } from "../helpers/cli.js";
import { tinyDesign, tinyImage } from "../helpers/design.js";

const state = initialState(tinyDesign(), 9);
const at = (epoch: number, step = 0): Checkpoint => ({
  position: { recipe: "vanilla", seed: 9, epoch, step, images: 450, ...tinyImage },
  state,
});

/** A bit of the last number. */
async function damage(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length - 1] ^= 1;
  await writeFile(path, bytes);
}

test("two checkpoints are kept unless told, and those of every so many epochs", async () => {
  const folder = await temporaryFolder();
  for (const epoch of [1, 2, 3, 4, 5]) await keepCheckpoint(folder, at(epoch), { keepEvery: 2 });
  await keepCheckpoint(folder, at(5, 7), { keepEvery: 2 });
  const { checkpoint, earlierCheckpoint } = runFiles(folder);
  expect(tree(folder)).toEqual([
    "checkpoint-2.safetensors",
    "checkpoint-4.safetensors",
    "checkpoint-before-1.safetensors",
    "checkpoint.safetensors",
  ]);
  expect(await readCheckpoint(checkpoint)).toEqual(at(5, 7));
  expect(await readCheckpoint(earlierCheckpoint(1))).toEqual(at(5));
  expect((await checkpointOfEpoch(folder, 4)).checkpoint).toEqual(at(4));
  await expect(checkpointOfEpoch(folder, 3)).rejects.toThrow("no checkpoint of epoch 3; choose one of 2, 4");
});

test.each([1, 3])("%i are kept if told", async (keep) => {
  const folder = await temporaryFolder();
  for (const epoch of [1, 2, 3, 4, 5]) await keepCheckpoint(folder, at(epoch), { keep });
  const kept = [0, 1, 2]
    .slice(0, keep)
    .map((number) => (number === 0 ? "checkpoint" : `checkpoint-before-${number}`));
  expect(tree(folder)).toEqual(kept.map((name) => `${name}.safetensors`).sort());
  if (keep === 3) expect(await readCheckpoint(runFiles(folder).earlierCheckpoint(2))).toEqual(at(3));
});

test("a damaged newest one falls back to the one before, says so, and does not take its place later", async () => {
  const folder = await temporaryFolder();
  for (const epoch of [1, 2, 3]) await keepCheckpoint(folder, at(epoch), { keep: 3 });
  const files = runFiles(folder);
  await damage(files.checkpoint);
  const warnings: string[] = [];
  const found = await newestCheckpoint(folder, (message) => warnings.push(message));
  expect(found).toEqual({ checkpoint: at(2), path: files.earlierCheckpoint(1) });
  expect(warnings.join("\n")).toMatch(
    /checkpoint\.safetensors: is damaged.*\n.*before-1.* is used instead: .* epoch 2/,
  );

  await restoreCheckpoint(folder, found.path);
  expect(await readCheckpoint(files.checkpoint)).toEqual(at(2));
  await keepCheckpoint(folder, at(3), { keep: 3 });
  expect(await readCheckpoint(files.earlierCheckpoint(1))).toEqual(at(2));
});

test("with all of them damaged, the newest one is named", async () => {
  const folder = await temporaryFolder();
  for (const epoch of [1, 2]) await keepCheckpoint(folder, at(epoch));
  const { checkpoint, earlierCheckpoint } = runFiles(folder);
  await damage(checkpoint);
  await copyFile(checkpoint, earlierCheckpoint(1));
  await expect(newestCheckpoint(folder)).rejects.toThrow(`${checkpoint}: is damaged`);
});

test("the best checkpoint is that of the lowest distance, or the highest accuracy, also after a kill", async () => {
  for (const [name, values] of [
    ["distance", [9, 4, 5, Number.NaN, 3]],
    ["held_out_accuracy", [0.1, 0.6, 0.5, Number.NaN, 0.7]],
  ] as const) {
    const folder = await temporaryFolder();
    const files = runFiles(folder);
    const best = async () => (await checkpointOfEpoch(folder, "best")).checkpoint.position.epoch;
    await expect(best()).rejects.toThrow("has kept no best checkpoint");
    let keeper = bestKeeper(folder);
    const found: number[] = [];
    for (const [i, value] of values.entries()) {
      const { position } = at(i + 1);
      const line = { epoch: i + 1, scores: { other: 1, [name]: value } };
      await appendFile(files.scores, `${JSON.stringify(line)}\n`);
      keeper.scored(line);
      await keepCheckpoint(folder, at(i + 1), { keep: 1 });
      // Killed before the best checkpoint has its name, and resumed.
      if (i === 1) {
        keeper = bestKeeper(folder);
        await keeper.begin(position);
      }
      await keeper.kept(position);
      found.push(await best());
    }
    expect(found).toEqual([1, 2, 2, 2, 5]);
  }
});
