import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { create } from "tar";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { loadParts } from "../../src/data/held-out.node.js";
import { loadDataset } from "../../src/data/load.node.js";
import { idx } from "../helpers/idx.js";
import { greyPng } from "../helpers/pictures.js";
import { zipOf } from "../helpers/zip.js";
import { temporaryFolder } from "./files.js";

let [folder, cache] = ["", ""];
beforeEach(async () => {
  [folder, cache] = [await temporaryFolder(), await temporaryFolder()];
  vi.stubEnv("GAN_ONNX_CACHE", cache);
});
afterEach(() => void vi.unstubAllEnvs());

type Files = Readonly<Record<string, Uint8Array | string>>;

async function written(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

const packers: Record<string, (name: string, files: Files) => Promise<string>> = {
  ".zip": (name, files) => written(name, zipOf(files)),
  ".tar": async (name, files) => {
    for (const [path, content] of Object.entries(files)) await written(join("packed", path), content);
    const path = join(folder, name);
    // As `tar -C packed -czf FILE .` has it: all paths begin with a dot.
    await create({ file: path, cwd: join(folder, "packed"), gzip: name.endsWith("gz") }, ["."]);
    return path;
  },
};

const pictures = async (): Promise<Files> => ({
  "shapes/square/a.png": await greyPng(1),
  "shapes/circle/b.png": await greyPng(2),
  "shapes/circle/notes.txt": "x",
  "__MACOSX/shapes/circle/._b.png": "x",
});

test.each([
  ["shapes.zip", ".zip"],
  ["shapes.TAR", ".tar"],
  ["shapes.tgz", ".tar"],
])("the images of %s are read as those of a folder, and unpacked once", async (name, kind) => {
  const path = await packers[kind](name, await pictures());
  const dataset = await loadDataset(path, { seed: 1, size: 1 });
  expect(dataset).toMatchObject({ name: path, count: 2, classNames: ["circle", "square"] });
  expect([[...dataset.images], [...dataset.labels!]]).toEqual([
    [2, 1],
    [0, 1],
  ]);
  expect(dataset.remarks).toEqual([expect.stringMatching(/^left out: files that are not PNG, .*: 1 \.txt$/)]);
  const unpacked = await readdir(join(cache, "archives"));
  expect(unpacked).toHaveLength(1);
  await loadDataset(path, { seed: 1, size: 1 });
  expect(await readdir(join(cache, "archives"))).toEqual(unpacked);
});

test("IDX files in a ZIP file are read, with the test images beside them", async () => {
  const path = await packers[".zip"]("mnist.zip", {
    "raw/train-images-idx3-ubyte": idx([2, 1, 1], [5, 6]),
    "raw/train-labels-idx1-ubyte": idx([2], [0, 1]),
    "raw/t10k-images-idx3-ubyte": idx([1, 1, 1], [7]),
    "raw/t10k-labels-idx1-ubyte": idx([1], [1]),
  });
  const { training, heldOut } = await loadParts(path, { seed: 1 });
  expect([[...training.images], [...heldOut.images]]).toEqual([[5, 6], [7]]);
});

test.each<[what: string, name: string, content: () => Uint8Array | Promise<Uint8Array>, message: RegExp]>([
  ["a ZIP file that is none", "a.zip", () => Buffer.from("no archive"), /a\.zip: cannot be unpacked \(/],
  ["a tar file that is none", "a.tar", () => Buffer.alloc(2000, 7), /a\.tar: cannot be unpacked \(/],
  [
    "a damaged ZIP file",
    "a.zip",
    async () => zipOf({ "a.png": await greyPng(1) }).fill(0, 40, 60),
    /a\.zip: cannot be unpacked \(/,
  ],
  [
    "a path that leads out of it",
    "a.zip",
    async () => zipOf({ "../a.png": await greyPng(1) }),
    /a\.zip: cannot be unpacked \(.*\.\.\/a\.png/,
  ],
  [
    "a bomb",
    "a.zip",
    () => zipOf({ "a.bmp": new Uint8Array(80e6) }),
    /a\.zip: unpacks to more than 64 MB, or more than 2000000 files; unpack it yourself/,
  ],
])("%s is refused, and leaves nothing in the cache", async (_, name, content, message) => {
  const path = await written(name, await content());
  await expect(loadDataset(path, { seed: 1, size: 1 })).rejects.toThrow(message);
  expect(await readdir(join(cache, "archives"))).toEqual([]);
});

test("a tar file with a path that leads out of it is refused", async () => {
  await written("a.png", await greyPng(1));
  const path = join(folder, "sub", "a.tar");
  await mkdir(dirname(path));
  await create({ file: path, cwd: dirname(path), preservePaths: true }, ["../a.png"]);
  await expect(loadDataset(path, { seed: 1 })).rejects.toThrow(
    /a\.tar: holds \.\.\/a\.png, which lies outside of it/,
  );
});

test("what is wrong in an archive is named by its own path", async () => {
  const path = await packers[".zip"]("a.zip", { "cat/a.png": "broken", "cat/b.png": await greyPng(1) });
  await expect(loadDataset(path, { seed: 1, strict: true })).rejects.toThrow(
    `${join(path, "cat", "a.png")}: is no picture`,
  );
});

test("what a killed process began to unpack is removed after a day", async () => {
  const [old, fresh] = [".old", ".fresh"].map((name) => join(cache, "archives", name));
  for (const begun of [old, fresh]) await mkdir(begun, { recursive: true });
  const before = new Date(Date.now() - 25 * 3_600_000);
  await utimes(old, before, before);
  await loadDataset(await packers[".zip"]("shapes.zip", await pictures()), { seed: 1, size: 1 });
  const names = await readdir(join(cache, "archives"));
  expect(names.filter((name) => name.startsWith("."))).toEqual([".fresh"]);
  expect(names).toHaveLength(2);
  expect(await readdir(cache)).toEqual(expect.not.arrayContaining([expect.stringMatching(/^archives./)]));
});
