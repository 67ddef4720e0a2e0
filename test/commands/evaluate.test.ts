import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drawDigits } from "../../src/data/drawn.js";
import { packagedJudge } from "../../src/evaluation/judge-file.node.js";
import { exportNetwork } from "../../src/export/network.js";
import { initialState } from "../../src/training/state.js";
import { runCli, succeed } from "../helpers/cli.js";
import { idx } from "../helpers/idx.js";
import { onCpu } from "../helpers/on-cpu.js";
import { designed, grey } from "../helpers/recipes.js";

const cwd = mkdtempSync(join(tmpdir(), "gan-onnx-test-"));
afterAll(() => rmSync(cwd, { recursive: true }));

async function untrained(file: string, recipe: "conditional" | "vanilla", side: number): Promise<void> {
  const image = grey(side);
  const design = designed(recipe, { latent: 4, width: 4 }, image);
  const position = { recipe, seed: 1, epoch: 0, step: 0, images: 0, ...image };
  writeFileSync(
    join(cwd, file),
    await exportNetwork(design, { position, state: initialState(design, 1) }, "none", onCpu),
  );
}

beforeAll(async () => {
  const { images, labels } = drawDigits({ count: 200, seed: 1 });
  writeFileSync(join(cwd, "train-images-idx3-ubyte"), idx([200, 28, 28], images));
  writeFileSync(join(cwd, "train-labels-idx1-ubyte"), idx([200], labels));
  await untrained("conditional.onnx", "conditional", 28);
  await untrained("vanilla.onnx", "vanilla", 28);
  await untrained("small.onnx", "vanilla", 8);
});

test("prints one table of several models; names judge, samples and floor; warns; is the same again", async () => {
  const args = ["evaluate", "conditional.onnx", "vanilla.onnx", "--data", "."];
  const { stdout, stderr } = await succeed(args, { cwd });
  const [head, floor, first, second] = stdout.split("\n");
  expect(head).toMatch(/^ +distance +\/floor .*class as asked/);
  expect(floor).toMatch(/^real images +\d+\.\d\d +1\.00x/);
  expect(first).toMatch(/^conditional\.onnx +\d+\.\d\d .*%/);
  expect(second).toMatch(/^vanilla\.onnx .* - /);
  expect(stderr).toMatch(/judge: models\/judge\.onnx \(sha256 [0-9a-f]{12}\), a classifier of mnist/);
  expect(stderr).toContain("100 samples, against as many images of .; seed 0");
  expect(stderr).toContain("of a classifier of mnist, not of .;");
  expect(stderr).toMatch(/warning: vanilla\.onnx: mode collapse/);
  expect((await succeed(args, { cwd })).stdout).toBe(stdout);
});

test("--json has everything, --samples and --seed choose, --sheet shows samples and what is nearest", async () => {
  const more = ["--samples", "50", "--seed", "3", "--sheet", "near.png", "--json"];
  const { stdout } = await succeed(["evaluate", "conditional.onnx", "--data", ".", ...more], { cwd });
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ data: ".", samples: 50, seed: 3, judge: { data: "mnist" } });
  expect(result.floor.distance).toBeGreaterThan(0);
  expect(result.floor.distance).toBeLessThan(result.models[0].distance);
  expect(result.models[0].classes).toHaveLength(10);
  expect(result.models[0].agreement).toBeLessThan(0.5);
  const { Jimp } = await import("jimp");
  const { width, height } = await Jimp.read(join(cwd, "near.png"));
  expect([width, height]).toEqual([16 * 30 + 2, 8 * 30 + 2]);
});

test.each([
  [
    "images of another form",
    ["small.onnx"],
    2,
    /small\.onnx: makes images of 1x8x8, and the data are 1x28x28/,
  ],
  [
    "a judge that is none",
    ["vanilla.onnx", "--judge", "vanilla.onnx"],
    1,
    /vanilla\.onnx: has not the one input image/,
  ],
  ["a judge as a generator", [packagedJudge], 1, /judge\.onnx: has no input z/],
  [
    "a sheet of two models",
    ["vanilla.onnx", "small.onnx", "--sheet", "a.png"],
    2,
    /--sheet: shows the samples of one/,
  ],
  ["too few samples", ["vanilla.onnx", "--samples", "3"], 2, /--samples/],
] as const)("refuses %s", async (_, args, code, message) => {
  const result = await runCli(["evaluate", ...args, "--data", "."], { cwd });
  expect(result).toMatchObject({ code, stdout: "" });
  expect(result.stderr).toMatch(/^error: .+\n$/m);
  expect(result.stderr).toMatch(message);
});
