import { readFile } from "node:fs/promises";
import { join } from "node:path";
import ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { sha256 } from "../../src/files.node.js";
import { type RecipeName, recipeNames } from "../../src/recipes/index.js";
import { temporaryFolder } from "../data/files.js";
import { runCli, succeed, tree } from "../helpers/cli.js";
import { checkerMissing, checkModels } from "../helpers/onnx-checker.js";

/** The networks of each recipe that have artifacts of ORT's training API. */
const artifacts: Readonly<Record<RecipeName, readonly string[]>> = {
  vanilla: ["discriminator", "generator"],
  "wgan-gp": ["discriminator", "generator"],
  vae: ["vae"],
  dcgan: [],
  conditional: [],
  "vae-gan": [],
  r3gan: [],
  flow: [],
  "latent-flow": [],
  classifier: [],
};
const artifactFiles = ["checkpoint", "eval_model.onnx", "optimizer_model.onnx", "training_model.onnx"];

test.each(recipeNames)("build-graphs writes the training graph of %s and its manifest", async (recipe) => {
  const cwd = await temporaryFolder();
  const { stdout } = await succeed(["build-graphs", "--recipe", recipe], { cwd });
  const folder = join("models", recipe);
  const [train, manifest] = [join(folder, "train.onnx"), join(folder, "manifest.json")];
  const networks = artifacts[recipe].map((network) => join(folder, network));
  expect(stdout).toBe(`${[train, manifest, ...networks].join("\n")}\n`);
  const files = networks.flatMap((network) => artifactFiles.map((file) => join(network, file)));
  expect(tree(cwd)).toEqual(["models", folder, manifest, train, ...networks, ...files].sort());

  const bytes = new Uint8Array(await readFile(join(cwd, train)));
  const described = JSON.parse(await readFile(join(cwd, manifest), "utf8"));
  expect(described).toMatchObject({
    recipe,
    configuration: { recipe, batchSize: ["vae-gan", "latent-flow"].includes(recipe) ? 64 : 128 },
    image: { channels: 1, height: 28, width: 28 },
    files: { "train.onnx": { bytes: bytes.length, sha256: sha256(bytes) } },
  });
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["cpu"] });
  const names = (values: { name: string }[]) => values.map(({ name }) => name);
  expect(names(described.inputs)).toEqual(session.inputNames);
  expect(names(described.outputs).sort()).toEqual([...session.outputNames].sort());
  await session.release();
});

test("it writes the same bytes each time, into --out, and prints JSON on demand", async () => {
  const cwd = await temporaryFolder();
  const { stdout } = await succeed(["build-graphs", "--out", "a", "--json"], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({ train: join("a", "train.onnx"), nodes: expect.any(Number) });
  await succeed(["build-graphs", "--out", "b"], { cwd });
  expect((await readFile(join(cwd, "a/train.onnx"))).equals(await readFile(join(cwd, "b/train.onnx")))).toBe(
    true,
  );
});

test("its artifacts start with the weights of --init, and flags that it does not read are refused", async () => {
  const cwd = await temporaryFolder();
  const small = ["--width", "8", "--depth", "1", "--latent", "4"];
  await succeed(["build-graphs", ...small, "--seed", "5", "--out", "five"], { cwd });
  await succeed(["build-graphs", ...small, "--init", "five", "--out", "same"], { cwd });
  await succeed(["build-graphs", ...small, "--out", "other"], { cwd });
  const checkpoint = (folder: string) => readFile(join(cwd, folder, "generator", "checkpoint"));
  const [five, same, other] = await Promise.all(["five", "same", "other"].map(checkpoint));
  expect(same.equals(five)).toBe(true);
  expect(same.equals(other)).toBe(false);
  for (const flag of [
    ["--data", "nowhere"],
    ["--epochs", "2"],
    ["--init", "nowhere"],
  ]) {
    expect((await runCli(["build-graphs", ...flag, "--out", "x"], { cwd })).code, flag[0]).not.toBe(0);
  }
});

test.skipIf(checkerMissing)(
  `ONNX's own checker accepts what it writes${checkerMissing ? ` (skipped: ${checkerMissing})` : ""}`,
  async () => {
    const cwd = await temporaryFolder();
    const paths = recipeNames.flatMap((recipe) => [
      join(cwd, recipe, "train.onnx"),
      ...artifacts[recipe].map((network) => join(cwd, recipe, network, "eval_model.onnx")),
    ]);
    for (const recipe of recipeNames)
      await succeed(["build-graphs", "--recipe", recipe, "--out", recipe], { cwd });
    expect(checkModels(paths)).toBe("");
  },
);

test("it needs neither the native runtime nor jimp", async () => {
  const cwd = await temporaryFolder();
  const forbid = new URL("../helpers/forbid-heavy.mjs", import.meta.url);
  const env = { NODE_OPTIONS: `--import=${forbid.href}` };
  await succeed(["build-graphs"], { cwd, env });
  await succeed(["--help"], { cwd, env });
  // The ban is real: what does need them fails under it.
  const { code, stderr } = await runCli(["train", "--data", "drawn", "--epochs", "1", "--out", "run"], {
    cwd,
    env,
  });
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/(native code|onnxruntime-node|jimp) was loaded/),
  ]);
});
