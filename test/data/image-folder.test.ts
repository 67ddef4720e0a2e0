import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { listFolder } from "../../src/data/folder.node.js";
import { loadDataset } from "../../src/data/load.node.js";
import { textIn } from "../../src/error.js";
import { flatRows, greyPng as grey, pictureOf as picture, pngOf as png } from "../helpers/pictures.js";
import { temporaryFolder } from "./files.js";

const flat = (color: number, width = 4, height = width) => png(flatRows(color, width, height));

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
  const stray = { ...classes, "7/c.png": await grey(5), "z.png": await grey(4) };
  const folder = await folderOf(stray);
  const kept = await loadDataset(folder, { seed: 1, size: 1 });
  expect([...kept.images]).toEqual([3, 1, 2, 5]);
  expect([...kept.labels!]).toEqual([0, 1, 1, 1]);
  expect(kept.remarks).toEqual([
    "left out: 1 picture lies beside the sub-folders (z.png), which are the classes",
  ]);
  await writeFile(join(folder, "y.png"), await grey(6));
  const mixed = await loadDataset(folder, { seed: 1, size: 1 });
  expect([...mixed.images]).toEqual([3, 1, 2, 5, 6, 4]);
  expect(mixed.labels).toBeUndefined();
  expect(mixed.remarks).toEqual(["there are no classes: 2 pictures lie beside the sub-folders (y.png)"]);
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
    `${folder}: has no images; what it has is 1 .txt; name a folder of PNG, JPEG, WebP, BMP, GIF and TIFF images, or`,
  );
  const empty = await temporaryFolder();
  await expect(loadDataset(empty, { seed: 1 })).rejects.toThrow(`${empty}: has no images: it is empty; name`);
});

test("broken images are left out and named; strict refuses them", async () => {
  const whole = await flat(0xff0000ff, 64);
  const jpeg = await picture(
    Array.from({ length: 64 }, (_, y) => Array(64).fill((y * 0x3050700 + 0xff) >>> 0)),
  ).getBuffer("image/jpeg");
  const broken: [name: string, content: string | Uint8Array, message: string][] = [
    ["empty.png", "", "is empty"],
    ["text.png", "hello", "is no picture, or its head is damaged"],
    ["short.png", whole.subarray(0, whole.length - 30), "cannot be decoded as PNG (it ends too early)"],
    ["flipped.png", Uint8Array.from(whole).with(60, whole[60] ^ 0xff), "cannot be decoded as PNG ("],
    ["short.jpg", jpeg.subarray(0, jpeg.length >> 1), "cannot be decoded as JPEG ("],
    [
      "drawing.png",
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      "is SVG, which is not read",
    ],
  ];
  for (const [name, content, message] of broken) {
    const folder = await folderOf({ "a-good.png": whole, [name]: content });
    const { count, remarks } = await loadDataset(folder, { seed: 1 });
    expect(count, name).toBe(1);
    expect(remarks, name).toHaveLength(1);
    expect(remarks![0]).toContain(`left out: 1 of 2 pictures: ${name} ${message}`);
    await expect(loadDataset(folder, { seed: 1, strict: true }), name).rejects.toThrow(
      `${join(folder, name)}: ${message}`,
    );
  }
  const all = await folderOf(Object.fromEntries(broken.map(([name, content]) => [name, content])));
  await expect(loadDataset(all, { seed: 1 })).rejects.toThrow(
    `${all}: none of its pictures (6) can be read: drawing.png is SVG, which is not read; empty.png is empty and 4 more; `,
  );
});

test("a folder that cannot be listed is named", async () => {
  const folder = join(await temporaryFolder(), "gone");
  await expect(listFolder(folder)).rejects.toThrow(`${folder}: cannot be listed (no such file or folder`);
});

test("more pixels than memory can hold are refused", async () => {
  const folder = await folderOf({ "a.png": await grey(1) });
  await expect(loadDataset(folder, { seed: 1, size: 1e6, channels: 3 })).rejects.toThrow(
    `${folder}: its images at 1 x 3 x 1000000 x 1000000 take 3000.0 GB, more than there is memory for; choose a smaller size or`,
  );
});

test("an image that cannot be read is named", async () => {
  const folder = await folderOf({ "b.png": await grey(1) });
  const path = join(folder, "a.png");
  await symlink(join(folder, "gone.png"), path);
  const { remarks } = await loadDataset(folder, { seed: 1 });
  expect(remarks).toEqual([
    expect.stringMatching(/^left out: 1 of 2 pictures: a\.png cannot be read \(no such file or folder/),
  ]);
  const strict = loadDataset(folder, { seed: 1, strict: true });
  await expect(strict).rejects.toThrow(`${path}: cannot be read (no such file or folder`);
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

test("transparent drawings are laid over what keeps them visible, or over what is chosen", async () => {
  const ink = await png([
    [0x00000000, 0x000000ff],
    [0x000000ff, 0x00000000],
  ]);
  const folder = await folderOf({ "a.png": ink, "b.png": await grey(9) });
  const { images, remarks } = await loadDataset(folder, { seed: 1, size: 2 });
  expect([...images]).toEqual([255, 0, 0, 255, 9, 9, 9, 9]);
  expect(remarks?.map((remark) => textIn(remark))).toEqual([
    "1 picture has transparent pixels, laid over white to keep the drawing visible (background black changes that)",
  ]);
  const black = await loadDataset(folder, { seed: 1, size: 2, background: "black" });
  expect([...black.images]).toEqual([0, 0, 0, 0, 9, 9, 9, 9]);
  expect(black.remarks).toBeUndefined();
  const chalk = await folderOf({ "a.png": await png([[0xffffffff, 0xffffff00]]) });
  const light = await loadDataset(chalk, { seed: 1, size: 1, background: "white" });
  expect([...light.images]).toEqual([255]);
});

test("what systems leave in folders is no class", async () => {
  const image = await grey(1);
  const junk = ["__MACOSX", "@eaDir", ".ipynb_checkpoints", "a/.thumbs", "b/@eaDir"];
  const folder = await folderOf({
    "a/1.png": image,
    "b/1.png": image,
    ...Object.fromEntries(junk.map((name) => [`${name}/1.png`, image])),
    "Thumbs.db": "",
  });
  const dataset = await loadDataset(folder, { seed: 1, size: 1 });
  expect(dataset).toMatchObject({ count: 2, classNames: ["a", "b"] });
  expect([...dataset.labels!]).toEqual([0, 1]);
  expect(dataset.remarks).toBeUndefined();
});

test("files that are not read are counted by their kind", async () => {
  const image = await grey(1);
  const folder = await folderOf({ "a.png": image, "b.avif": "x", "c.AVIF": "x", "d.npz": "x", README: "x" });
  expect((await loadDataset(folder, { seed: 1, size: 1 })).remarks).toEqual([
    "left out: files that are not PNG, JPEG, WebP, BMP, GIF and TIFF: 2 .avif, 1 without extension, 1 .npz",
  ]);
});

describe("many pictures", () => {
  const count = 600;
  const files = async () => {
    const images = await Promise.all(Array.from({ length: 100 }, (_, value) => grey(value)));
    const names = Array.from({ length: count }, (_, i) => [
      `${i % 3}/${String(i).padStart(3, "0")}.png`,
      images[i % 100],
    ]);
    return { ...Object.fromEntries(names), "0/300.png": "broken" };
  };
  const sorted = Array.from({ length: 3 }, (_, label) =>
    Array.from({ length: count / 3 }, (_, i) => 3 * i + label).filter((i) => i !== 300),
  );
  beforeEach(async () => {
    vi.stubEnv("GAN_ONNX_CACHE", await temporaryFolder());
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test("are read by threads, and kept until one of them changes", async () => {
    const folder = await folderOf(await files());
    const told: unknown[][] = [];
    const report = (...args: unknown[]) => told.push(args);
    const first = await loadDataset(folder, { seed: 1, size: 1, report });
    expect([...first.images]).toEqual(sorted.flat().map((i) => i % 100));
    expect([...first.labels!]).toEqual(sorted.flatMap((places, label) => places.map(() => label)));
    expect(first.remarks).toEqual([
      "left out: 1 of 600 pictures: 0/300.png is no picture, or its head is damaged",
    ]);
    expect(told.at(-1)).toEqual(["reading images", 600, 600]);
    expect(told.length).toBeGreaterThan(3);

    told.length = 0;
    const again = await loadDataset(folder, { seed: 1, size: 1, report });
    expect(told).toEqual([]);
    expect({ ...again, images: [...again.images] }).toEqual({ ...first, images: [...first.images] });
    await expect(loadDataset(folder, { seed: 1, size: 1, strict: true })).rejects.toThrow(
      `${join(folder, "0/300.png")}: is no picture, or its head is damaged; repair or remove`,
    );
    expect((await loadDataset(folder, { seed: 1, size: 2, report })).height).toBe(2);
    expect(told.length).toBeGreaterThan(0);

    await writeFile(join(folder, "0", "300.png"), await grey(250));
    const mended = await loadDataset(folder, { seed: 1, size: 1 });
    expect(mended.count).toBe(600);
    expect(mended.images[100]).toBe(250);
    expect(mended.remarks).toBeUndefined();
  });

  test("stop being read when strict and one is broken, or when it is aborted", async () => {
    const folder = await folderOf(await files());
    await expect(loadDataset(folder, { seed: 1, size: 1, strict: true })).rejects.toThrow(
      "0/300.png: is no picture",
    );
    const stop = new AbortController();
    const reason = new Error("stopped by the user");
    const report = () => stop.abort(reason);
    const loading = loadDataset(folder, { seed: 1, size: 1, report, signal: stop.signal });
    await expect(loading).rejects.toBe(reason);
  });

  test("are read all the same where nothing can be kept, which is said", async () => {
    const folder = await folderOf(await files());
    vi.stubEnv("GAN_ONNX_CACHE", join(folder, "0", "001.txt"));
    await writeFile(join(folder, "0", "001.txt"), "");
    const { count: read, remarks } = await loadDataset(folder, { seed: 1, size: 1 });
    expect(read).toBe(599);
    expect(remarks!.at(-1)).toMatch(/^the images are not kept for the next time: .*cannot be written/);
  });
});
