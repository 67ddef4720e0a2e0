import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { parseIdx } from "../../src/data/idx.js";
import { loadDataset } from "../../src/data/load.node.js";
import { idx } from "../helpers/idx.js";
import { realMnist, temporaryFolder } from "./files.js";

const images = idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]);
const labels = idx([2], [7, 3]);

describe("parseIdx", () => {
  test("reads dimensions and values, gzipped or not", async () => {
    const expected = { dims: [2, 2, 3], values: images.subarray(16) };
    expect(await parseIdx(images, "a", 3)).toEqual(expected);
    const { dims, values } = await parseIdx(new Uint8Array(gzipSync(images)), "a", 3);
    expect({ dims, values: new Uint8Array(values) }).toEqual(expected);
    expect(await parseIdx(labels, "b", 1)).toEqual({ dims: [2], values: Uint8Array.of(7, 3) });
  });

  const changed = (at: number, value: number) => images.with(at, value);
  test.each([
    ["an empty file", new Uint8Array(), "f: header is 0 bytes, expected 16"],
    ["half a header", images.subarray(0, 9), "f: header is 9 bytes, expected 16"],
    ["another magic number", changed(1, 0x42), "f: magic number starts with 00 42, expected 00 00"],
    ["truncated values", images.subarray(0, -1), "f: data is 11 bytes, expected 2 x 2 x 3 = 12"],
    ["trailing bytes", Uint8Array.of(...images, 0), "f: data is 13 bytes, expected 2 x 2 x 3 = 12"],
    [
      "more images than bytes",
      changed(4, 255),
      "f: data is 12 bytes, expected 4278190082 x 2 x 3 = 25669140492",
    ],
    ["no images", idx([0, 28, 28], []), "f: dimensions are 0 x 28 x 28, which holds nothing"],
    ["truncated gzip", gzipSync(images).subarray(0, -12), "f: gzip data is broken (unexpected end of file)"],
  ])("rejects %s", async (_, bytes, message) => {
    await expect(parseIdx(new Uint8Array(bytes), "f", 3)).rejects.toThrow(
      `${message}; replace the file with a complete copy`,
    );
  });
});

test.each([
  ["floats", images.with(2, 0x0d), "f: type is 0d (float32), expected 08 (unsigned byte)"],
  [
    "colours",
    idx([2, 1, 2, 3], new Uint8Array(12)),
    "f: number of dimensions is 4 (2 x 1 x 2 x 3), expected 3 (count x height x width)",
  ],
  ["labels", labels, "f: number of dimensions is 1 (2), expected 3 (count x height x width)"],
])("parseIdx says what it found and what it reads: %s", async (_, bytes, message) => {
  await expect(parseIdx(bytes, "f", 3)).rejects.toThrow(
    `${message}; convert it to grey images of unsigned bytes, or save colour images as PNG files in a folder`,
  );
});

test("parseIdx reads what is gzipped twice, and refuses more", async () => {
  const twice = gzipSync(gzipSync(images));
  const { values } = await parseIdx(new Uint8Array(twice), "f", 3);
  expect(new Uint8Array(values)).toEqual(images.subarray(16));
  await expect(parseIdx(new Uint8Array(gzipSync(twice)), "f", 3)).rejects.toThrow(
    "f: is gzipped more than 2 times; replace the file",
  );
});

describe("a folder of IDX files", () => {
  const folderOf = async (files: Record<string, Uint8Array>) => {
    const folder = await temporaryFolder();
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    return folder;
  };

  test.each([
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
    ["train-images.idx3-ubyte", "train-labels.idx1-ubyte"],
  ])("is read under the names %s and %s", async (imageName, labelName) => {
    const folder = await folderOf({
      [imageName]: images,
      [labelName]: labels,
      "t10k-images-idx3-ubyte": images,
    });
    expect(await loadDataset(folder, { seed: 1 })).toEqual({
      name: folder,
      count: 2,
      channels: 1,
      height: 2,
      width: 3,
      images: images.subarray(16),
      labels: Uint8Array.of(7, 3),
    });
  });

  test("is read gzipped, and without labels", async () => {
    const folder = await folderOf({ "train-images-idx3-ubyte.gz": gzipSync(images) });
    const dataset = await loadDataset(folder, { seed: 1 });
    expect(new Uint8Array(dataset.images)).toEqual(images.subarray(16));
    expect(dataset.labels).toBeUndefined();
  });

  test("must have the training images", async () => {
    const folder = await folderOf({ "t10k-images-idx3-ubyte": images });
    await expect(loadDataset(folder, { seed: 1 })).rejects.toThrow(
      `${folder}: has IDX files, but no training images (train-images-idx3-ubyte, also with .gz); add that file`,
    );
  });

  test("must have as many labels as images", async () => {
    const [imageName, labelName] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
    const folder = await folderOf({ [imageName]: images, [labelName]: idx([3], [1, 2, 3]) });
    const [imagePath, labelPath] = [join(folder, imageName), join(folder, labelName)];
    await expect(loadDataset(folder, { seed: 1 })).rejects.toThrow(
      `${labelPath}: label count 3 differs from ${imagePath}'s image count 2`,
    );
  });

  test("has the form of its files and no other", async () => {
    const folder = await folderOf({ "train-images-idx3-ubyte": images });
    await expect(loadDataset(folder, { seed: 1, size: 28 })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(
        `${folder}: its images are 1x2x3 (channels x height x width), not 1x28x28`,
      ),
    });
  });

  test("names a file that cannot be read", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "train-images-idx3-ubyte");
    await symlink(join(folder, "gone"), path);
    await expect(loadDataset(folder, { seed: 1 })).rejects.toThrow(
      `${path}: cannot be read (no such file or folder`,
    );
  });

  const [image, label] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];

  test.each<[about: string, files: Record<string, Uint8Array>, remarks?: string[]]>([
    [
      "7-zip's: each file in a folder named like it",
      { [`${image}/${image}`]: images, [`${label}/${label}`]: labels },
    ],
    [
      "Kaggle's: files beside such folders",
      {
        [`${image}/${image}`]: images,
        "train-images.idx3-ubyte": images,
        [`${label}/${label}`]: labels,
        "train-labels.idx1-ubyte": labels,
      },
    ],
    [
      "torchvision's: below the folder given",
      { [`MNIST/raw/${image}.gz`]: gzipSync(images), [`MNIST/raw/${label}.gz`]: gzipSync(labels) },
      ["read from the sub-folder MNIST/raw"],
    ],
    [
      "a browser's second download, in capitals",
      {
        "TRAIN-IMAGES-IDX3-UBYTE (1).GZ": gzipSync(images),
        "train-labels-idx1-ubyte (2).gz": gzipSync(labels),
      },
    ],
  ])("%s", async (_, files, remarks) => {
    const dataset = await loadDataset(await folderOf(files), { seed: 1 });
    expect(new Uint8Array(dataset.images)).toEqual(images.subarray(16));
    expect([...dataset.labels!]).toEqual([7, 3]);
    expect(dataset.remarks).toEqual(remarks);
  });

  test("EMNIST's images are turned, its letters counted from 0 and named", async () => {
    const folder = await folderOf({
      "emnist-letters-train-images-idx3-ubyte.gz": gzipSync(images),
      "emnist-letters-train-labels-idx1-ubyte.gz": gzipSync(idx([2], [1, 26])),
      "emnist-letters-test-images-idx3-ubyte.gz": gzipSync(images),
    });
    const dataset = await loadDataset(folder, { seed: 1 });
    expect(dataset).toMatchObject({ count: 2, height: 3, width: 2 });
    expect([...dataset.images]).toEqual([1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 255]);
    expect([...dataset.labels!]).toEqual([0, 25]);
    expect(dataset.classNames).toEqual([..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"]);
    await writeFile(join(folder, "emnist-letters-train-labels-idx1-ubyte.gz"), idx([2], [0, 26]));
    await expect(loadDataset(folder, { seed: 1 })).rejects.toThrow("label 0 is below 1");
  });

  test("several sets are not chosen between", async () => {
    const same = await folderOf({
      "emnist-letters-train-images-idx3-ubyte": images,
      "emnist-digits-train-images-idx3-ubyte": images,
    });
    await expect(loadDataset(same, { seed: 1 })).rejects.toThrow(
      "has the training images of several sets: emnist-digits-train, emnist-letters-train; put the files of one set",
    );
    const below = await folderOf({ [`FashionMNIST/raw/${image}`]: images, [`MNIST/raw/${image}`]: images });
    await expect(loadDataset(below, { seed: 1 })).rejects.toThrow(
      `${below}: has no IDX files itself, but several sub-folders that have some: FashionMNIST/raw, MNIST/raw; name`,
    );
  });
});

test.skipIf(!realMnist)(
  "the real MNIST (skipped without its files; GAN_ONNX_TEST_MNIST names their folder)",
  async () => {
    const dataset = await loadDataset(realMnist!, { seed: 1, size: 28, channels: 1 });
    expect(dataset).toMatchObject({ count: 60_000, channels: 1, height: 28, width: 28 });
    // The first training digits are 5 0 4 1 9, and the mean of all pixels is 0.1307 of white.
    expect([...dataset.labels!.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
    const mean = dataset.images.reduce((sum, value) => sum + value, 0) / dataset.images.length / 255;
    expect(mean).toBeCloseTo(0.1307, 4);
  },
);
