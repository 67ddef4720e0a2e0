import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Jimp } from "jimp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli, succeed } from "../helpers/cli.js";
import { writeIdxFolder } from "../helpers/dataset.js";
import { idx } from "../helpers/idx.js";
import { apngOf, flatRows, jpegHead, pictureOf, pngBomb, pngOf } from "../helpers/pictures.js";

const cwd = await mkdtemp(join(tmpdir(), "gan-onnx-data-"));
afterAll(() => rm(cwd, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, path)), { recursive: true });
    await writeFile(join(cwd, path), content);
  }
}

/** Small enough for a run of a moment. */
const small = ["--size", "8", "--batch-size", "2", "--latent", "4", "--width", "8", "--epochs", "1"];

beforeAll(async () => {
  const rows = [...flatRows(0x1e64c8ff, 12, 6), ...flatRows(0xfafafaff, 12, 6)];
  const good = await pngOf(rows);
  const ink = await pngOf([...flatRows(0x00000000, 12, 6), ...flatRows(0x000000ff, 12, 6)]);
  const classes = ["boat", "cat", "dog", "empty"];
  await write({
    ...Object.fromEntries(classes.slice(0, 3).map((name) => [`damaged/${name}/good.png`, good])),
    "damaged/boat/after-the-end.png": Buffer.concat([good, Buffer.from("more")]),
    "damaged/boat/animated.png": apngOf(good),
    "damaged/boat/ink.png": ink,
    "damaged/cat/photo.jpg": await pictureOf(rows).getBuffer("image/jpeg"),
    "damaged/cat/a.bmp": await pictureOf(rows).getBuffer("image/bmp"),
    "damaged/cat/a.gif": await pictureOf(rows).getBuffer("image/gif"),
    "damaged/cat/a.tiff": await pictureOf(rows).getBuffer("image/tiff"),
    "damaged/dog/nothing.png": "",
    "damaged/dog/cut.png": good.subarray(0, good.length - 20),
    "damaged/dog/spoilt.jpg": good.with(50, 0).with(51, 0),
    "damaged/dog/text.png": "no picture",
    "damaged/dog/bomb.png": pngBomb(8000, 8000),
    "damaged/dog/huge.jpg": jpegHead(12_000, 9_000),
    "damaged/dog/new.avif": "not read",
    "damaged/dog/labels.csv": "not read",
    "damaged/dog/arrays.npz": "not read",
    "damaged/stray.png": good,
    "damaged/__MACOSX/good.png": good,
    "damaged/.ipynb_checkpoints/good.png": good,
    "damaged/@eaDir/good.png": good,
    "arrays/train.npz": "x",
    "arrays/train.csv": "x",
    "arrays/more.csv": "x",
    "black/a.png": await pngOf(flatRows(0x000000ff)),
    "black/b.png": await pngOf(flatRows(0x000000ff)),
    "masks/a.png": await pngOf([...flatRows(0x000000ff, 8, 4), ...flatRows(0x010101ff, 8, 4)]),
    "masks/b.png": await pngOf(flatRows(0x010101ff, 8)),
    "MNIST/raw/train-images-idx3-ubyte": idx(
      [2, 8, 8],
      Array.from({ length: 128 }, (_, i) => i),
    ),
  });
  await mkdir(join(cwd, "damaged/empty"));
  await writeIdxFolder(join(cwd, "idx"), { count: 30, size: 8 });
});

const lines = (text: string) => text.trimEnd().split("\n");

/** What is to be said of the folder with every kind of damage at once. */
const damage = [
  /^damaged: 10 images of 8x8 grey, 4 classes \(boat: 4, cat: 5, dog: 1, empty: 0\)$/,
  /^values from 0 to 255 \(of 0 to 255\), mean [\d.]+$/,
  /^left out: 6 of 16 pictures: dog\/bomb\.png is 8000x8000, 64 megapixels where 32 is the limit; dog\/cut\.png cannot be decoded as PNG \(.*\); dog\/huge\.jpg is 12000x9000.* and 3 more$/,
  /^left out: 1 picture lies beside the sub-folders \(stray\.png\), which are the classes$/,
  /^classes without a picture, which keep their number: empty$/,
  /^left out: files that are not PNG, .*: 1 \.avif, 1 \.csv, 1 \.npz$/,
  /^1 picture has transparent pixels, laid over white to keep the drawing visible \(--background black changes that\)$/,
];

test("a folder with every kind of damage trains on its good pictures and names the rest", async () => {
  const { stderr } = await succeed(["train", "--data", "damaged", "--out", "run", ...small], { cwd });
  const told = lines(stderr);
  for (const [i, line] of damage.entries()) expect(told[i]).toMatch(line);
  expect(told[damage.length]).toMatch(/^vanilla on damaged: .*images 10, /);
  const config = JSON.parse(await readFile(join(cwd, "run", "config.json"), "utf8"));
  expect(config.classNames).toEqual(["boat", "cat", "dog", "empty"]);
  const resumed = ["train", "--resume", "--out", "run", "--epochs", "2"];
  await succeed(resumed, { cwd });
  await mkdir(join(cwd, "damaged/apple"));
  const { code, stderr: refusal } = await runCli(resumed, { cwd });
  expect(code).toBe(2);
  expect(refusal).toContain(
    "--data damaged: its classes are apple, boat, cat, dog, empty, and not boat, cat, dog, empty; leave --class-names out",
  );
  await rm(join(cwd, "damaged/apple"), { recursive: true });
});

test("a recipe with classes has as many as the data, also those without a picture; config.json keeps the number", async () => {
  const args = ["train", "--recipe", "conditional", "--data", "damaged", "--out", "classes", ...small];
  const { stdout } = await succeed([...args, "--dry-run", "--json"], { cwd });
  expect(JSON.parse(stdout).configuration.classes).toBe(4);
  await succeed(args, { cwd });
  const config = JSON.parse(await readFile(join(cwd, "classes", "config.json"), "utf8"));
  expect(config).toMatchObject({ classes: 4, classNames: ["boat", "cat", "dog", "empty"] });
  const resumed = ["train", "--resume", "--out", "classes"];
  const { stderr } = await runCli([...resumed, "--classes", "5"], { cwd });
  expect(stderr).toContain("--classes: cannot change from 4 to 5 when a run is resumed");
  await succeed([...resumed, "--epochs", "2"], { cwd });
  await succeed(["export", "classes.onnx", "--run", "classes"], { cwd });
  await succeed(["sample", "classes.onnx", "--classes", "cat", "--count", "2"], { cwd });
});

test("data says the same without training, and draws a sheet", async () => {
  const { stdout } = await succeed(["data", "damaged", "--size", "8", "--out", "sheet.png"], { cwd });
  const told = lines(stdout);
  for (const [i, line] of damage.entries()) expect(told[i]).toMatch(line);
  expect(told.slice(damage.length)).toEqual(["some of the images: sheet.png"]);
  const sheet = await Jimp.read(join(cwd, "sheet.png"));
  // Three classes of at most five images.
  expect([sheet.width, sheet.height]).toEqual([5 * 10 + 2, 3 * 10 + 2]);
});

test("data prints JSON for programs", async () => {
  const { stdout } = await succeed(["data", "idx", "--json"], { cwd });
  const { remarks, classes, ...about } = JSON.parse(stdout);
  expect(about).toMatchObject({
    source: "idx",
    count: 30,
    channels: 1,
    height: 8,
    width: 8,
    file: "data.png",
  });
  expect(classes).toHaveLength(10);
  expect(remarks).toEqual([]);
});

test.each<[args: string[], code: number, message: RegExp]>([
  [["data", "damaged", "--strict"], 1, /^error: damaged\/dog\/.*: (is|cannot)/],
  [["train", "--data", "damaged", "--out", "new", "--strict"], 1, /^error: damaged\/dog\/.*: (is|cannot)/],
  [
    ["data", "arrays"],
    1,
    /^error: arrays: has no images; what it has is 2 \.csv, 1 \.npz; name a folder of PNG, /,
  ],
  [["data", "black"], 1, /^error: --data black: every pixel of every image is 0: there is nothing to learn/],
  [["train", "--data", "black", "--out", "new"], 1, /^error: --data black: every pixel of every image is 0/],
  [["data", "damaged", "--background", "blue"], 2, /^error: --background: needs white or black, not "blue"/],
  [["data"], 2, /^error: data: needs <source>/],
  [
    ["train", "--data", "idx", "--class-names", "a", "b", "--out", "new"],
    2,
    /^error: --data idx: has 10 classes; name all/,
  ],
])("%j is refused", async (args, code, message) => {
  const finished = await runCli(args, { cwd });
  expect(finished.stderr).toMatch(message);
  expect(finished.code).toBe(code);
});

test("a range that is hardly meant is said before the training", async () => {
  const { stderr } = await succeed(["train", "--data", "masks", "--out", "masks-run", ...small], { cwd });
  expect(stderr).toContain("warning: the values of masks go from 0 to 1 only, 0.4% of the range");
});

test("torchvision's folder is read, and said to be", async () => {
  const { stdout } = await succeed(["data", "."], { cwd: join(cwd, "MNIST", "..", "MNIST") });
  expect(stdout).toContain("read from the sub-folder raw");
});

test("classes of IDX files are named on the command line, and kept", async () => {
  const names = [..."abcdefghij"];
  const args = ["train", "--data", "idx", "--out", "named", "--class-names", ...names, ...small.slice(2)];
  await succeed(args, { cwd });
  const config = JSON.parse(await readFile(join(cwd, "named", "config.json"), "utf8"));
  expect(config.classNames).toEqual(names);
  await succeed(["train", "--resume", "--out", "named", "--epochs", "2"], { cwd });
});
