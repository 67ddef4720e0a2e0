import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { loadDataset } from "../../src/data/load.node.js";
import { type ParquetRow, parquetOf, pyarrowFile } from "../helpers/parquet.js";
import { temporaryFolder } from "./files.js";

let folder = "";
beforeEach(async () => {
  folder = await temporaryFolder();
  vi.stubEnv("GAN_ONNX_CACHE", await temporaryFolder());
});
afterEach(() => void vi.unstubAllEnvs());

const note = (features: object) => JSON.stringify({ info: { features } });
const withClasses = note({
  image: { _type: "Image" },
  label: { names: ["square", "circle", "hexagon"], _type: "ClassLabel" },
});

/** A file in the folder. */
async function parquet(name: string, rows: readonly ParquetRow[], huggingface?: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, await parquetOf(rows, huggingface));
  return path;
}

const load = (spec: string) => loadDataset(spec, { seed: 0, size: 1 });
const rows = [
  { grey: 10, label: 2 },
  { grey: 20, label: 0 },
  { grey: 30, label: 2 },
];

test("the images of a Parquet file are read, with the names and numbers of its classes", async () => {
  const path = await parquet("shapes.parquet", rows, withClasses);
  for (const again of [false, true]) {
    const found = await load(path);
    expect(found).toMatchObject({ name: path, count: 3, classNames: ["square", "circle", "hexagon"] });
    expect([...found.images], `again ${again}`).toEqual([20, 10, 30]);
    expect([...found.labels!]).toEqual([0, 2, 2]);
  }
});

test("of a folder as it was downloaded, the training files are read", async () => {
  await parquet("data/test-00000-of-00001.parquet", [{ grey: 99, label: 0 }], withClasses);
  await parquet("data/train-00000-of-00002.parquet", rows, withClasses);
  await parquet("data/train-00001-of-00002.parquet", [{ grey: 40, label: 1 }], withClasses);
  const { images, labels } = await load(folder);
  expect([...images]).toEqual([20, 40, 10, 30]);
  expect([...labels!]).toEqual([0, 1, 2, 2]);
});

test("without names, classes are numbers; an image that is not in the file is named", async () => {
  const found = await load(await parquet("a.parquet", [...rows, { label: 0 }]));
  expect(found).toMatchObject({ count: 3, classNames: ["0", "2"] });
  expect(String(found.remarks)).toMatch(/left out: 1 of 4 pictures: .*0000003\.png is empty/);
});

test("other Parquet files, and damaged ones, are refused by name", async () => {
  const numbers = parquetWriteBuffer({ columnData: [{ name: "price", data: [1, 2] }] });
  const path = join(folder, "prices.parquet");
  await writeFile(path, new Uint8Array(numbers));
  await expect(load(path)).rejects.toThrow(/prices\.parquet: has no column of images, only price; name a/);

  await writeFile(path, "PAR1");
  await expect(load(path)).rejects.toThrow(
    /prices\.parquet: cannot be read as a Parquet file \(.*; replace it/,
  );
  const whole = await readFile(await parquet("whole.parquet", rows, withClasses));
  await writeFile(path, whole.fill(7, 4, 60));
  await expect(load(path)).rejects.toThrow(/prices\.parquet/);
});

test("a page whose head ends too early is refused: the decoder alone would not end", async () => {
  const path = await parquet("endless.parquet", rows);
  const bytes = await readFile(path);
  bytes[13] = 0;
  await writeFile(path, bytes);
  await expect(load(path)).rejects.toThrow(
    /endless\.parquet: cannot be read as a Parquet file \([^;]*\); replace it by a whole copy$/,
  );
});

test("files of pyarrow, and files without compression and labels, are read", async () => {
  const path = join(folder, "pyarrow.parquet");
  await writeFile(path, pyarrowFile);
  const { images, labels, remarks } = await load(path);
  expect([...images]).toEqual([10, 20, 20, 10]);
  expect([...labels!]).toEqual([0, 0, 1, 1]);
  expect(String(remarks)).toMatch(/left out: 1 picture lies beside the sub-folders \(0000004\.png\)/);

  await writeFile(path, await parquetOf(rows, undefined, { codec: "UNCOMPRESSED", labels: false }));
  const plain = await load(path);
  expect([...plain.images]).toEqual([10, 20, 30]);
  expect(plain.labels).toBeUndefined();
});
