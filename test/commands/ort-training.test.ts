import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tolerances } from "../../src/evaluation/trajectory.node.js";
import { readOrtFiles } from "../../src/ort-training/files.js";
import { OrtNetwork } from "../../src/ort-training/runtime.js";
import { decodeSafetensors } from "../../src/tensors/safetensors.js";
import { runCli, succeed, tree } from "../helpers/cli.js";
import { farthest, ortMissing } from "../helpers/ort-training.js";
import { trainingPlace } from "../helpers/runs.js";

const { cwd, train, remove } = await trainingPlace();
beforeAll(async () => {
  await succeed(train("ours", 1), { cwd });
});
afterAll(remove);

const files = ["checkpoint", "eval_model.onnx", "optimizer_model.onnx", "training_model.onnx"];
const small = ["--latent", "4", "--width", "8"];

async function metricsOf(run: string): Promise<Record<string, number>[]> {
  const text = await readFile(join(cwd, run, "metrics.jsonl"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

async function stateOf(run: string) {
  const path = join(cwd, run, "checkpoint.safetensors");
  return decodeSafetensors(new Uint8Array(await readFile(path)), path).tensors;
}

/** The largest difference of any metric from that of another run, relative to max(|metric|, 1e-2). */
async function apart(run: string, other: string, steps?: number): Promise<number> {
  const [a, b] = [await metricsOf(run), await metricsOf(other)];
  expect(a.length).toBe(b.length);
  const all = a
    .slice(0, steps)
    .flatMap((line, i) =>
      Object.keys(b[i]).map(
        (name) => Math.abs(line[name] - b[i][name]) / Math.max(1e-2, Math.abs(b[i][name])),
      ),
    );
  return Math.max(...all);
}

async function refused(args: readonly string[]): Promise<[code: unknown, message: string]> {
  const before = tree(cwd);
  const { code, stdout, stderr } = await runCli(args, { cwd });
  expect([stdout, tree(cwd)]).toEqual(["", before]);
  return [
    code,
    stderr
      .split("\n")
      .find((line) => line.startsWith("error: "))
      ?.slice(7) ?? stderr,
  ];
}

describe("build-graphs", () => {
  test("writes a folder of artifacts for each network, which load", async () => {
    const { stdout } = await succeed(["build-graphs", "--out", "m", ...small], { cwd });
    const folders = ["discriminator", "generator"].map((network) => join("m", network));
    expect(stdout).toBe(`${[join("m", "train.onnx"), join("m", "manifest.json"), ...folders].join("\n")}\n`);
    for (const folder of folders) {
      expect(tree(join(cwd, folder))).toEqual(files);
      const read = await readOrtFiles(join(cwd, folder));
      if (!ortMissing) await (await OrtNetwork.open(read, folder)).close();
    }
  });

  test("says of a recipe that has none why, and writes its training graph all the same", async () => {
    const { stdout, stderr } = await succeed(["build-graphs", "--recipe", "dcgan", "--out", "c"], { cwd });
    expect(stdout).toBe(`${join("c", "train.onnx")}\n${join("c", "manifest.json")}\n`);
    expect(stderr).toMatch(
      /^c: no artifacts of ORT's training API: a forward pass replaces buffers of the generator/m,
    );
    expect(tree(join(cwd, "c"))).toEqual(["manifest.json", "train.onnx"]);
  });
});

describe.skipIf(ortMissing)(
  `train --runtime ort-training${ortMissing ? ` (skipped: ${ortMissing})` : ""}`,
  () => {
    // 226 steps of batches of 2: losses stay near each other until chaos has had its time.
    beforeAll(async () => {
      await succeed(train("theirs", 1, ["--runtime", "ort-training"]), { cwd });
    });

    test("makes the same run: files, losses and parameters", async () => {
      expect(tree(join(cwd, "theirs"))).toEqual(tree(join(cwd, "ours")));
      expect(await apart("theirs", "ours", 50)).toBeLessThan(1e-4);
      expect(await apart("theirs", "ours")).toBeLessThan(tolerances.metrics);
      const [theirs, ours] = [await stateOf("theirs"), await stateOf("ours")];
      expect([...theirs.keys()].sort()).toEqual(["discriminator/parameters", "generator/parameters"]);
      for (const [name, { data }] of theirs) {
        expect(farthest(data, ours.get(name)!.data), name).toBeLessThan(tolerances.allParameters);
      }
    });

    test("whose generator can be exported, but which cannot go on: nobody knows its moments", async () => {
      await succeed(["export", "theirs.onnx", "--run", "theirs"], { cwd });
      const message =
        /^theirs: its checkpoint is not complete: ORT's training runtime returns the parameters, but not Adam's moments/;
      for (const args of [
        ["train", "--resume", "--out", "theirs", "--epochs", "2"],
        ["export", "checkpoint", "ck", "--run", "theirs"],
      ]) {
        expect(await refused(args)).toEqual([2, expect.stringMatching(message)]);
      }
    });

    test("goes on from what export checkpoint wrote, as the default runtime does", async () => {
      const { stdout } = await succeed(["export", "checkpoint", "ck", "--run", "ours"], { cwd });
      const written = ["discriminator", "generator"].map((network) => join("ck", network, "checkpoint"));
      expect(stdout).toBe(`${written.join("\n")}\n`);
      await succeed(train("ours-on", 1, ["--init", "ck"]), { cwd });
      await succeed(train("theirs-on", 1, ["--init", "ck", "--runtime", "ort-training"]), { cwd });
      expect(await apart("theirs-on", "ours-on", 50)).toBeLessThan(1e-4);
    });
  },
);

test("--init takes an exported checkpoint back: parameters, moments and steps", async () => {
  await succeed(["export", "checkpoint", "again", "--run", "ours"], { cwd });
  await succeed(train("none", 1, ["--init", "again", "--dry-run"]), { cwd });
  expect(existsSync(join(cwd, "none"))).toBe(false);

  const generator = join(cwd, "again", "generator", "checkpoint");
  await writeFile(generator, (await readFile(generator)).subarray(0, 500));
  expect(await refused(train("none", 1, ["--init", "again"]))).toEqual([
    1,
    expect.stringMatching(
      /^again\/generator\/checkpoint: is not a checkpoint of ORT's training API, version 2/,
    ),
  ]);
  expect(await refused(train("none", 1, ["--init", "data"]))).toEqual([
    2,
    expect.stringMatching(/^data\/\w+\/checkpoint: cannot be read/),
  ]);
});

test.each<[args: string[], message: RegExp]>([
  [
    ["--recipe", "dcgan"],
    /^--runtime ort-training: the recipe does not fit: a forward pass replaces buffers/,
  ],
  [
    ["--ema", "0.9"],
    /^--runtime ort-training: the recipe does not fit: the training API has no place for an av/,
  ],
])("what the training API cannot train is refused: %j", async (more, message) => {
  const args = ["train", "--data", "data", "--out", "new", "--runtime", "ort-training", ...more];
  expect(await refused(args)).toEqual([2, expect.stringMatching(message)]);
});
