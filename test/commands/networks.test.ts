import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Jimp } from "jimp";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  build,
  constant,
  gemm,
  input,
  leakyRelu,
  relu,
  reshape,
  sigmoid,
  tanh,
} from "../../src/graph/index.js";
import { encodeModel, summarizeModel } from "../../src/onnx/index.js";
import { decodeSafetensors } from "../../src/tensors/safetensors.js";
import { runCli, succeed } from "../helpers/cli.js";
import { writeIdxFolder } from "../helpers/dataset.js";
import { about } from "../helpers/run.js";

const cwd = await mkdtemp(join(tmpdir(), "gan-onnx-networks-"));
afterAll(() => rm(cwd, { recursive: true, force: true }));
const read = async (path: string) => new Uint8Array(await readFile(join(cwd, path)));

const weight = (name: string, shape: readonly number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return constant(
    "float32",
    shape,
    Float32Array.from({ length: size }, (_, i) => Math.sin(i) / 4),
    name,
  );
};

beforeAll(async () => {
  await writeIdxFolder(join(cwd, "data"), { count: 20, size: 8 });
  const z = input("noise", "float32", ["N", 3, 1, 1]);
  const h = relu(gemm(reshape(z, ["N", 3]), weight("first", [3, 16])));
  const picture = reshape(tanh(gemm(h, weight("second", [16, 64]))), ["N", 1, 8, 8]);
  const named = { ...about, metadata: { author: "somebody" } };
  await writeFile(join(cwd, "g.onnx"), encodeModel(build(named, { inputs: [z], outputs: { picture } })));
  const x = input("picture", "float32", ["N", 1, 8, 8]);
  const d = leakyRelu(gemm(reshape(x, ["N", 64]), weight("first", [64, 8])), 0.2);
  const real = sigmoid(gemm(d, weight("second", [8, 1])));
  await writeFile(join(cwd, "d.onnx"), encodeModel(build(about, { inputs: [x], outputs: { real } })));
});

const own = ["--network", "generator=g.onnx", "--network", "discriminator=d.onnx", "--latent", "3"];
const train = ["train", "--data", "data", "--batch-size", "5"];

test("networks from files are trained, resumed to the bit, exported as they came and sampled", async () => {
  const { stderr } = await succeed([...train, ...own, "--epochs", "2", "--out", "once"], { cwd });
  expect(stderr).toContain("d.onnx: its last operator, Sigmoid, is left out: the loss works on logits");
  await succeed([...train, ...own, "--epochs", "1", "--out", "twice"], { cwd });
  // The run has copies: it does not need the files any more.
  await rm(join(cwd, "d.onnx"));
  await succeed(["train", "--resume", "--out", "twice", "--epochs", "2"], { cwd });
  expect(await read("twice/checkpoint.safetensors")).toEqual(await read("once/checkpoint.safetensors"));

  await succeed(["export", "trained.onnx", "--run", "once"], { cwd });
  const [before, after] = [summarizeModel(await read("g.onnx")), summarizeModel(await read("trained.onnx"))];
  expect({ ...after, metadata: {} }).toEqual({ ...before, metadata: {} });
  expect(after.metadata).toMatchObject({ author: "somebody", recipe: "vanilla", latent: "3" });
  await succeed(["export", "weights.safetensors", "--format", "safetensors", "--run", "once"], { cwd });
  const { tensors } = decodeSafetensors(await read("weights.safetensors"), "weights.safetensors");
  expect([...tensors.keys()]).toEqual(
    expect.arrayContaining([
      "generator.first",
      "generator.second",
      "discriminator.first",
      "discriminator.second",
    ]),
  );
  await succeed(["sample", "trained.onnx", "--count", "4", "--scale", "1", "--out", "sheet.png"], { cwd });
  const sheet = await Jimp.fromBuffer(Buffer.from(await read("sheet.png")));
  expect([sheet.width, sheet.height]).toEqual([22, 22]);
});

test("what does not fit is refused before anything is written", async () => {
  const cases: [string[], string][] = [
    [["--network", "generator=g.onnx"], "no input takes 100 numbers for each sample"],
    [["--network", "generator"], '"generator" is not of the form NAME=FILE'],
    [["--network", "generator=none.onnx", "--latent", "3"], "none.onnx"],
    [["--network", "generator=data/train-images-idx3-ubyte", "--latent", "3"], "train-images-idx3-ubyte"],
    [
      ["--network", "generator=g.onnx", "--latent", "3", "--freeze", "generator.third"],
      "no parameter matches",
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runCli([...train, ...args, "--out", "refused", "--dry-run"], { cwd });
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining(message)]);
    expect(code).not.toBe(0);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  }
});

test("an autoencoder from files is trained, and its decoder exported as it came", async () => {
  const x = input("picture", "float32", ["N", 1, 8, 8]);
  const h = relu(gemm(reshape(x, ["N", 64]), weight("first", [64, 16])));
  const two = { mean: gemm(h, weight("toMean", [16, 3])), spread: gemm(h, weight("toSpread", [16, 3])) };
  await writeFile(join(cwd, "e.onnx"), encodeModel(build(about, { inputs: [x], outputs: two })));
  const z = input("z", "float32", ["N", 3]);
  const pixels = sigmoid(gemm(relu(gemm(z, weight("first", [3, 16]))), weight("second", [16, 64])));
  await writeFile(join(cwd, "p.onnx"), encodeModel(build(about, { inputs: [z], outputs: { pixels } })));

  const both = ["--recipe", "vae", "--network", "encoder=e.onnx", "--network", "decoder=p.onnx"];
  const run = [
    ...train,
    ...both,
    "--latent",
    "3",
    "--epochs",
    "2",
    "--freeze",
    "vae.encoder.toM*",
    "--out",
    "vae",
  ];
  await succeed(run, { cwd });
  await succeed(["export", "weights.safetensors", "--format", "safetensors", "--run", "vae"], { cwd });
  const { tensors } = decodeSafetensors(await read("weights.safetensors"), "weights.safetensors");
  const names = ["encoder.first", "encoder.toMean", "encoder.toSpread", "decoder.first", "decoder.second"];
  expect([...tensors.keys()].sort()).toEqual(names.map((name) => `vae.${name}`).sort());
  const mean = weight("toMean", [16, 3]).origin;
  expect(tensors.get("vae.encoder.toMean")?.data).toEqual(mean.kind === "constant" && mean.tensor.data);

  await succeed(["export", "decoder.onnx", "--run", "vae"], { cwd });
  const [before, after] = [summarizeModel(await read("p.onnx")), summarizeModel(await read("decoder.onnx"))];
  expect({ ...after, metadata: {} }).toEqual({ ...before, metadata: {} });
  await succeed(["sample", "decoder.onnx", "--count", "4", "--out", "vae.png"], { cwd });
});
