import { mkdtemp, readFile, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Jimp } from "jimp";
import ort from "onnxruntime-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeSafetensors } from "../../src/tensors/safetensors.js";
import { runCli, succeed, tree } from "../helpers/cli.js";
import { writeIdxFolder } from "../helpers/dataset.js";

const cwd = await mkdtemp(join(tmpdir(), "gan-onnx-export-"));
afterAll(() => rm(cwd, { recursive: true, force: true }));
const read = (path: string) => readFile(join(cwd, path));

beforeAll(async () => {
  await writeIdxFolder(join(cwd, "data"), { count: 20, size: 8 });
  for (const [out, latent] of [
    ["runs/older", "3"],
    ["runs/newer", "4"],
    ["elsewhere", "5"],
  ]) {
    const small = ["--epochs", "1", "--latent", latent, "--width", "8"];
    await succeed(["train", "--data", "data", "--out", out, ...small], { cwd });
  }
  // The newest run is the one whose checkpoint is, whatever the clock's resolution.
  await utimes(join(cwd, "runs/older/checkpoint.safetensors"), 1, 1);
});

test("export writes the latest run's generator, sample draws with it", async () => {
  const { stdout, stderr } = await succeed(["export", "models/generator.onnx"], { cwd });
  expect(stdout).toBe("models/generator.onnx\n");
  expect(stderr).toContain(`the generator of ${join("runs", "newer")} after epoch 1`);
  const session = await ort.InferenceSession.create(new Uint8Array(await read("models/generator.onnx")));
  const z = new ort.Tensor("float32", new Float32Array(2 * 4), [2, 4]);
  const { image } = await session.run({ z });
  await session.release();
  expect(image.dims).toEqual([2, 1, 8, 8]);

  const sampled = await succeed(
    [
      "sample",
      "models/generator.onnx",
      "--count",
      "6",
      "--columns",
      "3",
      "--scale",
      "2",
      "--out",
      "new/sheet.png",
      "--json",
    ],
    { cwd },
  );
  expect(JSON.parse(sampled.stdout)).toMatchObject({ file: "new/sheet.png", count: 6, seed: 0 });
  const sheet = await Jimp.fromBuffer(await read("new/sheet.png"));
  expect([sheet.width, sheet.height]).toEqual([2 * (3 * 10 + 2), 2 * (2 * 10 + 2)]);
});

test("sample draws the same from the same seed, in a file of its own name unless told", async () => {
  await succeed(["export", "g.onnx"], { cwd });
  const sheet = async (...args: string[]) => {
    await succeed(["sample", "g.onnx", ...args], { cwd });
    return (await read("samples.png")).toString("hex");
  };
  const first = await sheet("--seed", "3");
  expect(await sheet("--seed", "4")).not.toBe(first);
  expect(await sheet("--seed", "3")).toBe(first);
});

test("export takes the run that --run names, and prints JSON on demand", async () => {
  const { stdout } = await succeed(["export", "g.onnx", "--run", "elsewhere", "--json"], { cwd });
  const bytes = (await read("g.onnx")).length;
  expect(JSON.parse(stdout)).toMatchObject({
    file: "g.onnx",
    run: "elsewhere",
    recipe: "vanilla",
    epoch: 1,
    bytes,
  });
});

test("a model in another form says what that loses, and is drawn with as any other", async () => {
  await succeed(["export", "whole.onnx"], { cwd });
  const args = ["export", "small.onnx", "--precision", "int8", "--batch", "3", "--opset", "15", "--json"];
  const { stdout, stderr } = await succeed(args, { cwd });
  const told = JSON.parse(stdout);
  expect(told).toMatchObject({
    precision: "int8",
    batch: 3,
    opset: 15,
    bytes: (await read("small.onnx")).length,
  });
  expect(told.difference).toBeGreaterThan(0);
  expect(told.difference).toBeLessThan(0.05);
  // The judge has learnt larger images.
  expect(stderr).toMatch(/^int8: \d+% of the size with float32; largest difference of an output 0\.0\d+$/m);
  const drawn = async (model: string) => {
    await succeed(["sample", model, "--count", "7", "--scale", "1", "--out", "form.png"], { cwd });
    return (await Jimp.fromBuffer(await read("form.png"))).bitmap.data;
  };
  const [whole, small] = [await drawn("whole.onnx"), await drawn("small.onnx")];
  expect(whole.equals(small)).toBe(false);
  expect(Math.max(...whole.map((value, i) => Math.abs(value - small[i])))).toBeLessThan(8);

  const refused = await runCli(["export", "x.st", "--format", "safetensors", "--batch", "3"], { cwd });
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining("leave --precision, --batch and --opset out"),
  ]);
});

test("exported weights go back in: a run that starts with them is where the other one stood", async () => {
  await succeed(["export", "w.safetensors", "--format", "safetensors", "--run", "elsewhere"], { cwd });
  const { tensors } = decodeSafetensors(new Uint8Array(await read("w.safetensors")), "w");
  expect([...tensors.keys()]).toContain("discriminator.dis.4.bias");
  const small = ["--epochs", "1", "--latent", "5", "--width", "8", "--learning-rate", "1e-30"];
  await succeed(["train", "--data", "data", "--out", "again", "--init", "w.safetensors", ...small], { cwd });
  await succeed(["export", "w2.safetensors", "--format", "safetensors", "--run", "again"], { cwd });
  expect((await read("w2.safetensors")).equals(await read("w.safetensors"))).toBe(true);
});

test("nothing but the files asked for is left in the folder", () => {
  const hidden = tree(cwd).filter((path) => path.includes(".tmp") || path.split("/").at(-1)?.startsWith("."));
  expect(hidden).toEqual([]);
});
