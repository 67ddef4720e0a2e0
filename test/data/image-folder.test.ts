import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Jimp } from "jimp";
import { expect, test } from "vitest";
import { readImageFolder } from "../../src/data/image-folder.node.js";
import { loadDataset } from "../../src/data/load.node.js";
import { temporaryFolder } from "./files.js";

/** Rows of pixels as 0xRRGGBBAA. */
const picture = (rows: readonly (readonly number[])[]) => {
  const image = new Jimp({ width: rows[0].length, height: rows.length });
  rows.forEach((row, y) => {
    row.forEach((color, x) => {
      image.setPixelColor(color, x, y);
    });
  });
  return image;
};
const png = (rows: readonly (readonly number[])[]) => picture(rows).getBuffer("image/png");
const flat = (color: number, width = 4, height = width) =>
  png(Array.from({ length: height }, () => Array<number>(width).fill(color)));
const grey = (value: number) => flat(((value << 24) | (value << 16) | (value << 8) | 0xff) >>> 0);

async function folderOf(files: Record<string, Uint8Array | string>) {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

test("colours become planes, or the luma of BT.601", async () => {
  const folder = await folderOf({
    "a.png": await png([
      [0xff0000ff, 0x00ff00ff],
      [0x0000ffff, 0x0a141eff],
    ]),
  });
  const rgb = await loadDataset(folder, { seed: 1, size: 2, channels: 3 });
  expect(rgb).toMatchObject({ name: folder, count: 1, channels: 3, height: 2, width: 2 });
  expect([...rgb.images]).toEqual([255, 0, 0, 10, 0, 255, 0, 20, 0, 0, 255, 30]);
  expect(rgb.labels).toBeUndefined();
  const luma = await loadDataset(folder, { seed: 1, size: 2 });
  // 0.299 * 255, 0.587 * 255, 0.114 * 255, 0.299 * 10 + 0.587 * 20 + 0.114 * 30
  expect([...luma.images]).toEqual([76, 150, 29, 18]);
});

test("transparent pixels are laid over black", async () => {
  const folder = await folderOf({
    "a.png": await png([
      [0xffffff00, 0xffffff80],
      [0xc8c8c880, 0xffffffff],
    ]),
  });
  const { images } = await loadDataset(folder, { seed: 1, size: 2 });
  expect([...images]).toEqual([0, 128, 100, 255]);
});

test("what is not square is cropped to its middle, then resized", async () => {
  const [dark, light] = [0x000000ff, 0xffffffff];
  const row = [light, light, dark, dark, dark, dark, light, light];
  const folder = await folderOf({ "wide.png": await png([row, row, row, row]) });
  const { images } = await loadDataset(folder, { seed: 1, size: 2 });
  expect([...images]).toEqual([0, 0, 0, 0]);

  const tall = await folderOf({ "tall.png": await png([[light], [0x646464ff], [dark]]) });
  expect([...(await loadDataset(tall, { seed: 1, size: 3 })).images]).toEqual(Array(9).fill(100));
});

test("resizing averages, so that fine patterns become grey", async () => {
  const rows = Array.from({ length: 8 }, (_, y) =>
    Array.from({ length: 8 }, (_, x) => ((x + y) % 2 ? 0xffffffff : 0x000000ff)),
  );
  const { images } = await loadDataset(await folderOf({ "a.png": await png(rows) }), { seed: 1, size: 4 });
  for (const value of images) expect(Math.abs(value - 127.5)).toBeLessThan(2);
});

test("the default form is MNIST's", async () => {
  const dataset = await loadDataset(await folderOf({ "a.png": await grey(7) }), { seed: 1 });
  expect(dataset).toMatchObject({ channels: 1, height: 28, width: 28 });
  expect(dataset.images).toEqual(new Uint8Array(784).fill(7));
});

test("PNG and JPEG files are found at any depth, in the order of their paths", async () => {
  const folder = await folderOf({
    "b/z.PNG": await grey(30),
    "b/a/deep.png": await grey(20),
    "a.png": await grey(10),
    "c.jpeg": await picture([[0x282828ff]]).getBuffer("image/jpeg"),
    "notes.txt": "not an image",
    ".hidden.png": "not an image",
    ".cache/x.png": "not an image",
  });
  const told: unknown[][] = [];
  const report = (...args: unknown[]) => told.push(args);
  const dataset = await loadDataset(folder, { seed: 1, size: 1, report });
  expect([...dataset.images]).toEqual([10, 20, 30, 40]);
  expect(dataset.labels).toBeUndefined();
  expect(told).toEqual([["reading images", 4, 4]]);
});

test("sub-folders are classes when every image lies in one", async () => {
  const classes = { "7/b.png": await grey(2), "7/a.png": await grey(1), "3/x/y.png": await grey(3) };
  const labelled = await loadDataset(await folderOf(classes), { seed: 1, size: 1 });
  expect([...labelled.images]).toEqual([3, 1, 2]);
  expect([...labelled.labels!]).toEqual([0, 1, 1]);
  // 2 comes before 10, as people number folders.
  const numbered = { "10/a.png": await grey(10), "2/a.png": await grey(2), "b/a.png": await grey(3) };
  const natural = await loadDataset(await folderOf(numbered), { seed: 1, size: 1 });
  expect(Array.from(natural.labels!, (label, i) => [natural.images[i], label])).toEqual([
    [10, 1],
    [2, 0],
    [3, 2],
  ]);
  const mixed = await loadDataset(await folderOf({ ...classes, "z.png": await grey(4) }), {
    seed: 1,
    size: 1,
  });
  expect(mixed.labels).toBeUndefined();
});

test("more classes than a byte can number mean no labels", async () => {
  const image = await grey(1);
  const classes = (count: number) =>
    folderOf(Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}/a.png`, image])));
  expect(new Set((await loadDataset(await classes(256), { seed: 1, size: 1 })).labels).size).toBe(256);
  expect((await loadDataset(await classes(257), { seed: 1, size: 1 })).labels).toBeUndefined();
});

test("a folder without images is refused", async () => {
  const folder = await folderOf({ "notes.txt": "" });
  await expect(loadDataset(folder, { seed: 1 })).rejects.toThrow(
    `${folder}: has no images; name a folder of PNG or JPEG images, or of IDX files under MNIST's names`,
  );
});

test("a broken image is named", async () => {
  const whole = await flat(0xff0000ff, 64);
  const jpeg = await picture(
    Array.from({ length: 64 }, (_, y) => Array(64).fill((y * 0x3050700 + 0xff) >>> 0)),
  ).getBuffer("image/jpeg");
  const broken = {
    "empty.png": "",
    "text.png": "hello",
    "short.png": whole.subarray(0, whole.length - 30),
    "flipped.png": Uint8Array.from(whole).with(60, whole[60] ^ 0xff),
    "short.jpg": jpeg.subarray(0, jpeg.length >> 1),
  };
  for (const [name, content] of Object.entries(broken)) {
    const folder = await folderOf({ "a-good.png": whole, [name]: content });
    await expect(loadDataset(folder, { seed: 1 }), name).rejects.toThrow(
      `${join(folder, name)}: cannot be decoded as PNG or JPEG (`,
    );
  }
});

test("a folder that cannot be listed is named", async () => {
  const folder = join(await temporaryFolder(), "gone");
  await expect(readImageFolder(folder, { seed: 1 })).rejects.toThrow(`${folder}: cannot be listed (ENOENT`);
});

test("more pixels than memory can hold are refused", async () => {
  const folder = await folderOf({ "a.png": await grey(1) });
  await expect(loadDataset(folder, { seed: 1, size: 1e6, channels: 3 })).rejects.toThrow(
    `${folder}: its images at 1 x 3 x 1000000 x 1000000 take 3000.0 GB, more than can be had; choose a smaller size or`,
  );
});

test("an image that cannot be read is named", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "a.png");
  await symlink(join(folder, "gone.png"), path);
  await expect(loadDataset(folder, { seed: 1 })).rejects.toThrow(`${path}: cannot be read (ENOENT`);
});

test("links to files are read, links to folders are not followed", async () => {
  const folder = await folderOf({ "a.png": await grey(1), "b.png/c.png": await grey(3) });
  await symlink(join(folder, "a.png"), join(folder, "b.png", "link.png"));
  await symlink(folder, join(folder, "loop"));
  expect([...(await loadDataset(folder, { seed: 1, size: 1 })).images]).toEqual([1, 3, 1]);
});

test("reading stops when it is aborted", async () => {
  const folder = await folderOf({ "a.png": await grey(1) });
  const reason = new Error("stopped by the user");
  const signal = AbortSignal.abort(reason);
  await expect(loadDataset(folder, { seed: 1, signal })).rejects.toBe(reason);
});
