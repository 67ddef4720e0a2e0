import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Jimp } from "jimp";
import { expect, test } from "vitest";
import { temporaryFolder } from "../data/files.js";
import { succeed, tree } from "../helpers/cli.js";

test("npm start goes the whole way, here for one epoch: run, generator, sheet", async () => {
  const cwd = await temporaryFolder();
  const { stdout } = await succeed(["demo", "--epochs", "1"], { cwd });
  const [run] = tree(join(cwd, "runs"));
  expect(tree(join(cwd, "runs", run))).toEqual(
    expect.arrayContaining(["checkpoint.safetensors", "generator.onnx", "samples.png"]),
  );
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(join("runs", run, "samples.png"));
  const { width, height } = await Jimp.fromBuffer(await readFile(join(cwd, "runs", run, "samples.png")));
  expect([width, height]).toEqual([8 * 30 + 2, 8 * 30 + 2]);
});
