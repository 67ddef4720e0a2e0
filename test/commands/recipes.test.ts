import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Jimp } from "jimp";
import { afterAll, describe, expect, test } from "vitest";
import { drawDigits } from "../../src/data/drawn.js";
import { exportNetwork } from "../../src/export/network.js";
import type { RecipeName } from "../../src/recipes/index.js";
import { initialState } from "../../src/training/state.js";
import { runCli, succeed } from "../helpers/cli.js";
import { goldenMissing, goldenPath } from "../helpers/golden.js";
import { idx } from "../helpers/idx.js";
import { onCpu } from "../helpers/on-cpu.js";
import { designed, grey } from "../helpers/recipes.js";

const folder = mkdtempSync(join(tmpdir(), "gan-onnx-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...names: string[]) => join(folder, ...names);
const bytes = (...names: string[]) => readFileSync(at(...names));

/** Drawn digits under MNIST's names. 300 are no multiple of 16, nor of 5 times 16. */
const digits = drawDigits({ count: 300, seed: 1 });
mkdirSync(at("digits"));
mkdirSync(at("unlabelled"));
for (const data of ["digits", "unlabelled"]) {
  writeFileSync(at(data, "train-images-idx3-ubyte"), idx([300, 28, 28], digits.images));
}
writeFileSync(at("digits", "train-labels-idx1-ubyte"), idx([300], digits.labels));

const done = (...args: string[]) => succeed(args, { cwd: folder });

/** Run the program in the folder; it must refuse, in one line. */
async function refused(code: number, ...args: string[]): Promise<string> {
  const result = await runCli(args, { cwd: folder });
  expect(result).toMatchObject({ code, stdout: "" });
  expect(result.stderr).toMatch(/^error: .+\n$/m);
  return result.stderr;
}

const small = ["--latent", "8", "--width", "4", "--batch-size", "16"];
const train = (recipe: RecipeName, ...flags: string[]) =>
  done("train", "--recipe", recipe, "--data", "digits", ...small, ...flags);

async function png(...names: string[]) {
  const { bitmap } = await Jimp.fromBuffer(bytes(...names));
  const { width, height, data } = bitmap;
  return { width, height, colour: bytes(...names)[25] === 2, first: [...data.subarray(4 * (2 * width + 2))] };
}

describe.each<[RecipeName, string[], number]>([
  ["wgan-gp", [], 8],
  ["vae", [], 16],
  ["dcgan", [], 8],
  ["conditional", ["--ema", "0.9"], 8],
])("%s %s", (recipe, flags, columns) => {
  test("in two parts is what it is at once, bit for bit; exports and draws", async () => {
    const options = ["--steps-per-call", "4", ...flags];
    const [whole, parts] = [`${recipe}-whole`, `${recipe}-parts`];
    await Promise.all([
      train(recipe, ...options, "--epochs", "4", "--out", whole),
      train(recipe, ...options, "--epochs", "2", "--out", parts).then(() =>
        done("train", "--resume", "--epochs", "4", "--out", parts),
      ),
    ]);
    for (const file of ["checkpoint.safetensors", "metrics.jsonl", join("img", "fake_images-4.png")]) {
      expect(bytes(whole, file).equals(bytes(parts, file)), file).toBe(true);
    }
    expect(bytes(whole, "metrics.jsonl").toString().trim().split("\n")).toHaveLength(
      4 * (recipe === "wgan-gp" ? 4 : 19),
    );
    expect(readdirSync(at(whole, "img")).sort()).toEqual([
      ...[1, 2, 3, 4].map((epoch) => `fake_images-${epoch}.png`),
      "real_images.png",
    ]);
    const [width, height] = [30 * columns + 2, 30 * 8 + 2];
    expect(await png(whole, "img", "fake_images-4.png")).toMatchObject({ width, height, colour: false });

    await done("export", `${recipe}.onnx`, "--run", whole);
    await done(
      "sample",
      `${recipe}.onnx`,
      "--count",
      "6",
      "--columns",
      "3",
      "--scale",
      "1",
      "--out",
      `${recipe}.png`,
    );
    expect(await png(`${recipe}.png`)).toMatchObject({ width: 92, height: 62 });
  });
});

describe("what is drawn can be chosen", () => {
  /** An untrained generator, as a file. */
  async function untrained(recipe: RecipeName, settings: Record<string, number>): Promise<string> {
    const image = grey(28);
    const design = designed(recipe, { latent: 8, width: 4, ...settings }, image);
    const position = { recipe, seed: 1, epoch: 0, step: 0, images: 1, ...image };
    const model = await exportNetwork(design, { position, state: initialState(design, 1) }, "nothing", onCpu);
    writeFileSync(at(`untrained-${recipe}.onnx`), model);
    return `untrained-${recipe}.onnx`;
  }

  test("by digits, for as many images as wanted", async () => {
    const model = await untrained("conditional", {});
    await done(
      "sample",
      model,
      "--digits",
      "0123456789",
      "--count",
      "20",
      "--columns",
      "10",
      "--scale",
      "1",
      "--out",
      "d.png",
    );
    expect(await png("d.png")).toMatchObject({ width: 302, height: 62 });
    const all = ["0", "1", "01"].map(async (wanted) => {
      await done(
        "sample",
        model,
        "--digits",
        wanted,
        "--count",
        "2",
        "--scale",
        "1",
        "--out",
        `d${wanted}.png`,
      );
      const image = await Jimp.fromBuffer(bytes(`d${wanted}.png`));
      const half = (x: number) => image.clone().crop({ x, y: 0, w: 31, h: 32 }).bitmap.data;
      return { left: half(0), right: half(31) };
    });
    const [zeros, ones, both] = await Promise.all(all);
    expect(both.left.equals(zeros.left)).toBe(true);
    expect(both.right.equals(ones.right)).toBe(true);
    expect(both.left.equals(ones.left)).toBe(false);
  });

  test("and a training tells of classes that the data do not have", async () => {
    const { stderr } = await done(
      "train",
      "--recipe",
      "conditional",
      "--data",
      "digits",
      "--classes",
      "12",
      "--dry-run",
    );
    expect(stderr).toContain("digits has 10 of 12 classes; use --classes 10\n");
    const fitting = await done("train", "--recipe", "conditional", "--data", "digits", "--dry-run");
    expect(fitting.stderr).not.toContain("use --classes");
    const [told, untold] = [["--classes", "10"], []].map((own) =>
      done("train", "--recipe", "r3gan", "--data", "digits", "--dry-run", ...own),
    );
    const hint = "digits has 10 classes; --classes 10 trains a model that draws them by choice\n";
    expect((await untold).stderr).toContain(hint);
    expect((await told).stderr).not.toContain(hint);
  });

  test("only among the classes, and only where there are any", async () => {
    const [four, none] = [
      await untrained("conditional", { classes: 4 }),
      await untrained("vanilla", { depth: 1 }),
    ];
    expect(await refused(2, "sample", four, "--digits", "0174")).toContain(
      `--digits: ${four} has no class 7; choose from 0 to 3`,
    );
    expect(await refused(2, "sample", none, "--digits", "0")).toContain(
      `${none} cannot choose what it draws`,
    );
    expect(await refused(2, "sample", four, "--digits", "zero")).toContain("--digits");
    expect(readdirSync(folder)).not.toContain("samples.png");
  });
});

test.each<[what: string, args: string[], message: RegExp]>([
  [
    "a conditional recipe without labels",
    ["conditional", "--data", "unlabelled"],
    /unlabelled: has no labels/,
  ],
  [
    "labels beyond the classes",
    ["conditional", "--data", "digits", "--classes", "5"],
    /label 9, beyond 5 classes; use --classes 10/,
  ],
  [
    "sizes that strides do not divide",
    ["dcgan", "--data", "digits", "--depth", "3"],
    /--depth: images of 28x28/,
  ],
  [
    "smoothing without a target",
    ["vanilla", "--data", "digits", "--loss", "hinge", "--label-smoothing", "0.1"],
    /--label-smoothing: the loss hinge/,
  ],
  [
    "another recipe's setting",
    ["vae", "--data", "digits", "--ema", "0.9"],
    /--ema: is a setting of the recipes? /,
  ],
])("%s is a usage error, before anything is written", async (_, [recipe, ...flags], message) => {
  expect(await refused(2, "train", "--recipe", recipe, ...flags, "--out", "refused")).toMatch(message);
  expect(readdirSync(folder)).not.toContain("refused");
});

describe("weights", () => {
  test("leave as safetensors and start another run, unchanged", async () => {
    await train("vanilla", "--epochs", "1", "--out", "first");
    await done("export", "first.safetensors", "--format", "safetensors", "--run", "first");
    // At such a rate float32 parameters stay where they are.
    const still = ["--init", "first.safetensors", "--learning-rate", "1e-30"];
    await train("vanilla", "--epochs", "1", ...still, "--out", "second", "--seed", "5");
    await done("export", "second.safetensors", "--format", "safetensors", "--run", "second");
    expect(bytes("second.safetensors").equals(bytes("first.safetensors"))).toBe(true);

    const other = ["train", "--data", "digits", "--out", "third", "--init", "first.safetensors", ...small];
    expect(await refused(1, ...other, "--depth", "1")).toContain(
      "generator.gen.2.weight is float32 [4, 4] instead of float32 [784, 4]",
    );
    expect(readdirSync(folder)).not.toContain("third");
  });
});

test("colour images of 32 pixels from a folder", async () => {
  mkdirSync(at("colours"));
  const color = 0xc86432ff;
  for (let i = 0; i < 10; i++) {
    const image = new Jimp({ width: 40 - i, height: 36, color });
    writeFileSync(at("colours", `${i}.png`), await image.getBuffer("image/png"));
  }
  const form = ["--size", "32", "--channels", "3", "--depth", "3", "--width", "2", "--batch-size", "4"];
  await done("train", "--recipe", "dcgan", "--data", "colours", ...form, "--epochs", "1", "--out", "colour");
  await done("export", "colour.onnx", "--run", "colour");
  await done(
    "sample",
    "colour.onnx",
    "--count",
    "3",
    "--columns",
    "3",
    "--scale",
    "1",
    "--out",
    "colour.png",
  );
  const sheet = { width: 274, height: 274, colour: true };
  const real = await png("colour", "img", "real_images.png");
  expect(real).toMatchObject(sheet);
  expect(real.first.slice(0, 3)).toEqual([0xc8, 0x64, 0x32]);
  expect(await png("colour", "img", "fake_images-1.png")).toMatchObject(sheet);
  expect(await png("colour.png")).toMatchObject({ width: 104, height: 36, colour: true });
});

const { missing, note } = goldenMissing("vanilla");
test.skipIf(missing)(`verify tells no difference that detach makes${note}`, async () => {
  const verify = (...flags: string[]) => done("verify", goldenPath("vanilla"), "--json", ...flags);
  const [detached, undetached] = await Promise.all([verify(), verify("--no-detach")]);
  expect(JSON.parse(detached.stdout)).toMatchObject({ within: true, steps: 12 });
  expect(undetached.stdout).toBe(detached.stdout);
});
