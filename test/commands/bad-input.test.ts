import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { encodeSafetensors } from "../../src/tensors/safetensors.js";
import { runCli, succeed, tree } from "../helpers/cli.js";
import { idx } from "../helpers/idx.js";
import { withoutGpu } from "../helpers/providers.js";
import { trainingPlace } from "../helpers/runs.js";

const { cwd, train, contentOf, remove } = await trainingPlace();
afterAll(remove);

const images = "train-images-idx3-ubyte";
const labels = "train-labels-idx1-ubyte";

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(join(cwd, path, ".."), { recursive: true });
  await writeFile(join(cwd, path), content);
}

beforeAll(async () => {
  const pixels = Uint8Array.from({ length: 4 * 64 }, (_, i) => i);
  await write(`truncated/${images}`, idx([4, 8, 8], pixels).subarray(0, -1));
  await write(`gzip/${images}.gz`, gzipSync(idx([4, 8, 8], pixels)).subarray(0, -9));
  await write(`floats/${images}`, idx([4, 8, 8], pixels).with(2, 0x0d));
  await write(`labels-as-images/${images}`, idx([4], [1, 2, 3, 4]));
  await write(`mismatch/${images}`, idx([4, 8, 8], pixels));
  await write(`mismatch/${labels}`, idx([3], [1, 2, 3]));
  await write("empty/notes.txt", "no images here");
  await write("no-image/a.png", "this is no PNG");
  await write("file", "a regular file");

  await write("broken.json", '{"epochs": 3,}');
  await write("list.json", "[]");
  await write("wrong.json", '{"batchSize": "many"}');
  await write("unknown.json", '{"epoch": 3}');
  await write("spoilt.safetensors", encodeSafetensors(new Map()));

  await succeed(train("run", 1), { cwd });
  const checkpoint = await readFile(join(cwd, "run", "checkpoint.safetensors"));
  for (const name of ["cut", "noise", "other", "unconfigured", "fewer"]) {
    await cp(join(cwd, "run"), join(cwd, name), { recursive: true });
  }
  await write("cut/checkpoint.safetensors", checkpoint.subarray(0, checkpoint.length - 10));
  await write("noise/checkpoint.safetensors", checkpoint.subarray(checkpoint.length / 2));
  const config = JSON.parse(await readFile(join(cwd, "run", "config.json"), "utf8"));
  await write("other/config.json", JSON.stringify({ recipe: "wgan-gp", data: "data" }));
  await write("unconfigured/config.json", "{");
  await write("fewer/config.json", JSON.stringify({ ...config, data: "mismatch-free" }));
  await write(`mismatch-free/${images}`, idx([4, 8, 8], pixels));
  await write("wide/config.json", JSON.stringify({ ...config, width: 9 }));
  await write("wide/checkpoint.safetensors", checkpoint);
});

/** What one test leaves behind must not fail the others. */
afterEach(() => rm(join(cwd, "new"), { recursive: true, force: true }));

const fresh = (data: string) => ["train", "--data", data, "--out", "new", "--epochs", "1"];
const resume = (out: string, ...more: string[]) => ["train", "--resume", "--out", out, ...more];

test.each<[about: string, args: () => string[], code: number, message: RegExp]>([
  ["an unknown command", () => ["trian"], 2, /^trian: no such command; did you mean train\?/],
  ["an unknown flag", () => ["train", "--epoch", "3"], 2, /^--epoch: no such flag; did you mean --epochs\?/],
  ["a flag without its value", () => ["train", "--out"], 2, /^--out: needs a value;/],
  ["a flag given twice", () => ["train", "--out", "a", "--out", "b"], 2, /^--out: is given more than once;/],
  [
    "a flag given twice, once",
    () => ["train", "--epochs", "1", "--epochs", "1"],
    2,
    /^--epochs: is given more/,
  ],
  [
    "a flag in two spellings",
    () => ["train", "--batchSize=2", "--batch-size", "1"],
    2,
    /^--batch-size: is given/,
  ],
  ["what follows a lone --", () => ["train", "--dry-run", "--", "--epochs", "1"], 2, /^--: is not supported/],
  ["a switch with a value", () => ["train", "--dry-run=yes"], 2, /^--dry-run: takes no value, so not yes/],
  ["a flag that is no switch, off", () => ["train", "--no-out"], 2, /^--no-out: is not a switch/],
  ["a field of a flag", () => ["train", "--out.x", "y"], 2, /^--out\.x: no such flag/],
  ["an empty value", () => ["train", "--seed", ""], 2, /^--seed: has an empty value/],
  ["an empty folder", () => ["train", "--out="], 2, /^--out: has an empty value/],
  ["an empty argument", () => ["sample", ""], 2, /^arguments: number 2 is empty/],
  ["a missing argument", () => ["export"], 2, /^export: needs 1 more than the 0 given/],
  [
    "a choice that there is not",
    () => ["export", "g", "--format", "x"],
    2,
    /^--format: needs one of onnx, safetensors, not "x"/,
  ],
  [
    "an unknown recipe",
    () => ["build-graphs", "--recipe", "gan"],
    2,
    /^--recipe: needs one of vanilla, .*, not "gan"/,
  ],
  [
    "an unknown provider",
    () => ["train", "--ep", "tpu"],
    2,
    /^--ep: needs one of cpu, cuda, webgpu, not "tpu"/,
  ],
  [
    "a setting of another recipe",
    () => ["train", "--critics", "3"],
    2,
    /^--critics: is a setting of the recipe wgan-gp, not of vanilla/,
  ],
  [
    "an unknown augmentation",
    () => ["train", "--augment", "flip,turn"],
    2,
    /^--augment: needs some of flip,shift, not "flip,turn"/,
  ],
  [
    "a number that is none",
    () => ["train", "--epochs", "ten"],
    2,
    /^--epochs: needs a whole number from 1, not "ten"/,
  ],
  [
    "a count of nothing",
    () => ["sample", "g.onnx", "--count", "0"],
    2,
    /^--count: needs a whole number from 1 to 65536, not 0/,
  ],
  [
    "a device where there is no choice",
    () => [...fresh("data"), "--device", "1", "--dry-run"],
    2,
    /^--device 1: cpu cannot choose a device/,
  ],

  [
    "no threads",
    () => [...fresh("data"), "--threads", "0", "--dry-run"],
    2,
    /^--threads: needs a whole number from 1 to 1024, not 0/,
  ],
  ["a config file that is not there", () => ["train", "--config", "no.json"], 2, /^no\.json: cannot be read/],
  ["broken JSON", () => ["train", "--config", "broken.json"], 2, /^broken\.json: is not JSON/],
  [
    "a config file with no object",
    () => ["train", "--config", "list.json"],
    2,
    /^list\.json: does not hold a JSON object/,
  ],
  [
    "a wrong field",
    () => ["train", "--config", "wrong.json"],
    2,
    /^wrong\.json: batchSize: needs a whole number from 1, not "many"/,
  ],
  [
    "an unknown field",
    () => ["verify", "--config", "unknown.json"],
    2,
    /^unknown\.json: epoch: is not a setting; did you mean epochs\?/,
  ],

  [
    "a data source that there is not",
    () => fresh("mnits"),
    2,
    /^--data mnits: is no data source and no folder; did you mean mnist\? Or choose mnist, /,
  ],
  ["a file as data", () => fresh("file"), 2, /^--data file: is a file of a kind that is not read/],
  [
    "a truncated IDX file",
    () => fresh("truncated"),
    1,
    /^truncated.train-images-idx3-ubyte: data is 255 bytes, expected 4 x 8 x 8/,
  ],
  ["a truncated gzip file", () => fresh("gzip"), 1, /^gzip.train-images-idx3-ubyte\.gz: gzip data is broken/],
  [
    "an IDX file of another type",
    () => fresh("floats"),
    1,
    /^floats.train-images-idx3-ubyte: type is 0d \(float32\), expected 08/,
  ],
  [
    "labels in place of images",
    () => fresh("labels-as-images"),
    1,
    /^labels-as-images.*: (header|number of dimensions) is/,
  ],
  [
    "labels of another count",
    () => fresh("mismatch"),
    1,
    /^mismatch.train-labels-idx1-ubyte: label count 3 differs from .* image count 4/,
  ],
  ["a folder without images", () => fresh("empty"), 1, /^empty: has no images/],
  [
    "an image that is none",
    () => fresh("no-image"),
    1,
    /^no-image: none of its pictures \(1\) can be read: a\.png is no picture/,
  ],

  ["a folder that holds a run", () => train("run", 2), 2, /^run: already contains a run; use --resume/],
  [
    "a folder that cannot be",
    () => train("file/below", 1),
    1,
    /^file.below: cannot be written \(a part of the path is not a folder\)/,
  ],
  [
    "graphs into a folder that cannot be",
    () => ["build-graphs", "--out", "file/x"],
    1,
    /^file.x.train\.onnx: cannot be written/,
  ],

  ["a run that is not there", () => resume("nowhere"), 2, /^nowhere: no such run; /],
  ["no latest run", () => ["train", "--resume"], 2, /^runs\/: has no run with a checkpoint/],
  ["no latest run to export", () => ["export", "g.onnx"], 2, /^runs\/: has no run with a checkpoint/],
  [
    "a run whose config is broken",
    () => resume("unconfigured"),
    2,
    /^unconfigured.config\.json: is not JSON/,
  ],
  [
    "a truncated checkpoint",
    () => resume("cut"),
    1,
    /^cut.checkpoint\.safetensors: .*; download or write the file again/,
  ],
  ["a corrupt checkpoint", () => resume("noise"), 1, /^noise.checkpoint\.safetensors: /],
  [
    "a corrupt checkpoint to export",
    () => ["export", "g.onnx", "--run", "cut"],
    1,
    /^cut.checkpoint\.safetensors: /,
  ],
  [
    "a checkpoint of another recipe",
    () => resume("other"),
    1,
    /^other.checkpoint\.safetensors: is a checkpoint of the recipe vanilla, not of wgan-gp/,
  ],
  [
    "a checkpoint of another recipe to export",
    () => ["export", "g.onnx", "--run", "other"],
    1,
    /^other.checkpoint\.safetensors: is a checkpoint of the recipe vanilla/,
  ],
  [
    "a checkpoint of other sizes",
    () => resume("wide"),
    1,
    /^wide.checkpoint\.safetensors: does not fit .*generator\/parameters is float32 \[\d+\] instead of/,
  ],
  [
    "other data than the run had",
    () => resume("fewer"),
    1,
    /^--data mismatch-free: now holds 4 images of 1x8x8 where the run had 451/,
  ],
  [
    "one image a batch where batches are normalised",
    () => ["train", "--data", "data", "--recipe", "dcgan", "--batch-size", "1"],
    2,
    /^--batch-size 1: batch normalization needs more than one/,
  ],
  [
    "another seed on the way",
    () => resume("run", "--seed", "8"),
    2,
    /^--seed: cannot change from 7 to 8 when a run is resumed; --epochs, .*--learning-rate.* can; leave it out/,
  ],
  [
    "another width on the way",
    () => resume("run", "--width", "9"),
    2,
    /^--width: cannot change from 8 to 9 when/,
  ],
  [
    "an average on the way",
    () => resume("run", "--ema", "0.99"),
    2,
    /^--ema: cannot change from none to 0\.99 when/,
  ],
  [
    "a config file on the way",
    () => resume("run", "--config", "wrong.json"),
    2,
    /^--config: a resumed run uses its own run.config\.json/,
  ],

  ["a model that is not there", () => ["sample", "no.onnx"], 2, /^no\.onnx: cannot be read/],
  ["a model that is none", () => ["sample", "wrong.json"], 1, /^wrong\.json: is not an ONNX model/],
  ["a record that is none", () => ["verify", "wrong.json"], 1, /^wrong\.json: /],
  [
    "a record of nothing",
    () => ["verify", "spoilt.safetensors"],
    1,
    /^spoilt\.safetensors: is not a record of this recipe: x is missing, /,
  ],
  // Looked for before the data, which may have to be downloaded: these are not there.
  [
    "weights that are not there",
    () => [...fresh("mnist"), "--init", "nowhere.safetensors"],
    2,
    /^nowhere\.safetensors: cannot be read \(no such file/,
  ],
  [
    "a network that is not there",
    () => [...fresh("mnist"), "--network", "generator=nowhere.onnx"],
    2,
    /^nowhere\.onnx: cannot be read \(no such file/,
  ],
  [
    "a model to score that is not there",
    () => ["evaluate", "nowhere.onnx", "--data", "mnist"],
    2,
    /^nowhere\.onnx: cannot be read/,
  ],
  [
    "weights of nothing",
    () => [...fresh("data"), "--init", "spoilt.safetensors"],
    1,
    /^spoilt\.safetensors: does not fit the recipe's networks: generator\.gen\.0\.weight is missing, /,
  ],

  [
    "cuda where there is none",
    () => train("new", 1, ["--ep", "cuda"]),
    1,
    /^--ep cuda: the execution provider is not available .*gan-onnx doctor/,
  ],
  [
    "webgpu where there is none",
    () => train("new", 1, ["--ep", "webgpu"]),
    1,
    /^--ep webgpu: .*gan-onnx doctor/,
  ],
])("%s: one clear line, the right exit code, nothing left behind", async (_, args, code, message) => {
  const [before, run] = [tree(cwd), await contentOf("run")];
  const { stdout, stderr, ...result } = await runCli(args(), { cwd, env: withoutGpu });
  const errors = stderr.split("\n").filter((line) => line.startsWith("error: "));
  expect(errors, stderr).toHaveLength(1);
  expect(errors[0].slice("error: ".length)).toMatch(message);
  expect(result.code).toBe(code);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe("");
  expect(tree(cwd)).toEqual(before);
  expect(await contentOf("run")).toEqual(run);
});

test("--verbose adds the stack trace", async () => {
  const { code, stderr } = await runCli([...fresh("truncated"), "--verbose"], { cwd });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: truncated/m);
  expect(stderr).toMatch(/^\s+at .*idx\.js/m);
});
