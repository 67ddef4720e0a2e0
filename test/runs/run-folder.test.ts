import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { appendMetrics, newRunFolder, runFiles, truncateMetrics } from "../../src/runs/run-folder.js";
import { temporaryFolder } from "../data/files.js";
import { tree } from "../helpers/cli.js";

const line = (epoch: number, iteration: number) => `{"epoch":${epoch},"iteration":${iteration},"loss":0.5}\n`;

test("metrics are lines of JSON, appended", async () => {
  const path = join(await temporaryFolder(), "metrics.jsonl");
  const metrics = { loss: 0.5 };
  await appendMetrics(path, [{ epoch: 1, step: 1, metrics }]);
  await appendMetrics(path, [
    { epoch: 1, step: 2, metrics },
    { epoch: 2, step: 1, metrics },
  ]);
  expect(await readFile(path, "utf8")).toBe(line(1, 1) + line(1, 2) + line(2, 1));
});

test.each([
  ["nothing when all were kept", "", { epoch: 2, step: 2 }, 5],
  ["a line that was cut off", '{"epoch":2,"itera', { epoch: 2, step: 2 }, 5],
  ["a line that was cut off inside a number", '{"epoch":2', { epoch: 2, step: 2 }, 5],
  ["an epoch that was not completed", "", { epoch: 1, step: 0 }, 3],
  ["steps after the checkpoint", "", { epoch: 1, step: 1 }, 4],
  ["everything", "", { epoch: 0, step: 0 }, 0],
])("going on drops %s", async (_, rest, position, kept) => {
  const folder = await temporaryFolder();
  const path = join(folder, "metrics.jsonl");
  const lines = [line(1, 1), line(1, 2), line(1, 3), line(2, 1), line(2, 2)];
  await writeFile(path, lines.join("") + rest);
  await truncateMetrics(path, position);
  expect(await readFile(path, "utf8")).toBe(lines.slice(0, kept).join(""));
  expect(tree(folder)).toEqual(["metrics.jsonl"]);
});

test("metrics that cannot be written or read name their file", async () => {
  const path = join(await temporaryFolder(), "metrics.jsonl");
  await mkdir(path);
  await expect(appendMetrics(path, [])).rejects.toThrow(`${path}: cannot be written (it is a folder`);
  await expect(truncateMetrics(path, { epoch: 0, step: 0 })).rejects.toThrow(
    `${path}: cannot be read (it is a folder`,
  );
});

test("a run without metrics yet stays without", async () => {
  const folder = await temporaryFolder();
  await truncateMetrics(join(folder, "metrics.jsonl"), { epoch: 0, step: 0 });
  expect(tree(folder)).toEqual([]);
});

test("a run is named by its recipe and time, and its files as the issue names them", () => {
  const folder = newRunFolder("vanilla", new Date("2026-11-23T06:30:05.123Z"));
  expect(folder).toBe(join("runs", "vanilla-2026-11-23T06-30-05-123"));
  const { fakeImages, earlierCheckpoint, epochCheckpoint, network, ...files } = runFiles("r");
  const numbered = [fakeImages(12), earlierCheckpoint(1), epochCheckpoint(40), network("generator")];
  expect([...Object.values(files), ...numbered].sort()).toEqual([
    join("r", "changes.jsonl"),
    join("r", "checkpoint-40.safetensors"),
    join("r", "checkpoint-before-1.safetensors"),
    join("r", "checkpoint-best.safetensors"),
    join("r", "checkpoint.safetensors"),
    join("r", "config.json"),
    join("r", "img", "fake_images-12.png"),
    join("r", "img", "real_images.png"),
    join("r", "metrics.jsonl"),
    join("r", "networks", "generator.onnx"),
    join("r", "provenance.json"),
    join("r", "scores.jsonl"),
  ]);
});
