import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Jimp } from "jimp";
import { afterAll, expect, test } from "vitest";
import { succeed, tree } from "../helpers/cli.js";
import { trainingPlace } from "../helpers/runs.js";

const { cwd, remove } = await trainingPlace();
afterAll(remove);

test("npm start goes the whole way, here on few small images: run, generator, sheet", async () => {
  const { stdout } = await succeed(["demo", "--data", "data", "--epochs", "1"], { cwd });
  const [run] = tree(join(cwd, "runs"));
  expect(tree(join(cwd, "runs", run))).toEqual(
    expect.arrayContaining(["checkpoint.safetensors", "generator.onnx", "samples.png"]),
  );
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(join("runs", run, "samples.png"));
  const { width, height } = await Jimp.fromBuffer(await readFile(join(cwd, "runs", run, "samples.png")));
  expect([width, height]).toEqual([8 * 10 + 2, 8 * 10 + 2]);
});
