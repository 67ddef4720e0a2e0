import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { unpackedParquet } from "../../src/data/parquet.node.js";
import { ParquetReader } from "../../src/data/parquet-reader.node.js";
import { expectUnharmed } from "../helpers/fuzz.js";
import { type Crafted, craftedParquet, endedParquet, type Fields, thriftOf } from "../helpers/parquet.js";
import { temporaryFolder } from "./files.js";

// One thread reads all files. That it goes on after each also shows that none has stopped it.
const reader = new ParquetReader();
let folder = "";
let path = "";
beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder, "a.parquet");
  vi.stubEnv("GAN_ONNX_CACHE", join(folder, "cache"));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await reader.close();
});
afterAll(expectUnharmed);

const HUGE = 0x7fff_ffff;
const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
const bytes = (...values: readonly number[]) => Uint8Array.from(values);

/** A page of version 1 with four values. */
const first = (body: Uint8Array, more: Fields = {}, about: Fields = {}) => ({
  header: { 1: 0, 2: body.length, 3: body.length, 5: { 1: 4, 2: 0, 3: 3, 4: 3, ...about }, ...more },
  body,
});
/** A page of version 2 with four values. */
const second = (body: Uint8Array, about: Fields = {}) => ({
  header: {
    1: 3,
    2: body.length,
    3: body.length,
    8: { 1: 4, 2: 0, 3: 4, 4: 0, 5: 0, 6: 0, 7: false, ...about },
  },
  body,
});
/** A dictionary with one picture of one byte. */
const dictionary = (about: Fields = {}) => {
  const body = bytes(1, 0, 0, 0, 7);
  return { header: { 1: 2, 2: body.length, 3: body.length, 7: { 1: 1, 2: 0, ...about } }, body };
};
/** Four pictures of one byte. */
const four = bytes(...[1, 2, 3, 4].flatMap((value) => [1, 0, 0, 0, value]));
/** The same in Snappy, as one literal. */
const packed = bytes(four.length, (four.length - 1) << 2, ...four);
/** Snappy that repeats its first byte. */
function bomb(size: number): Buffer {
  const copies = Buffer.alloc(3 * Math.ceil((size - 1) / 64), bytes(0xfe, 1, 0));
  return Buffer.concat([bytes(...varint(size), 0, 0), copies]);
}
/** A byte between lists of one list each. */
const nested = (depth: number) => bytes(0x19, ...Array<number>(depth).fill(0x19), 0x10, 0);

const unpack = (crafted: Crafted | Uint8Array, limits: { patience?: number; signal?: AbortSignal } = {}) =>
  writeFile(path, crafted instanceof Uint8Array ? crafted : craftedParquet(crafted)).then(() =>
    unpackedParquet([path], { reader, ...limits }),
  );

test.each<[string, Crafted]>([
  ["version 1", { pages: [first(four)] }],
  ["version 2", { pages: [second(four)] }],
  ["Snappy", { pages: [first(packed, { 2: four.length })], codec: 1 }],
  ["a dictionary", { pages: [dictionary(), second(bytes(0, ...varint(8)), { 4: 8 })] }],
  ["levels", { pages: [first(bytes(2, 0, 0, 0, ...varint(8), 1, ...four))], optional: true }],
])("what is not damaged is read: %s", async (_, crafted) => {
  const { folder: to } = await unpack(crafted);
  expect(await readdir(to)).toHaveLength(4);
});

const bombs = bomb(2 ** 29 + 1);
test.each<[string, RegExp, Crafted | Uint8Array]>([
  ["a page is too large", /bytes of a page: 2147483647 /, { pages: [first(four, { 3: HUGE })] }],
  ["a page has a negative size", /bytes of a page: -1 /, { pages: [first(four, { 3: -1 })] }],
  [
    "a page unpacks to less than its header says",
    /a page has 20 bytes in place of 2147483647/,
    { pages: [first(packed, { 2: HUGE })], codec: 1 },
  ],
  [
    "a page unpacks to less than it says",
    /a page has 20 bytes in place of 2147483647/,
    { pages: [first(bytes(...varint(HUGE), ...packed.subarray(1)), { 2: HUGE })], codec: 1 },
  ],
  [
    "a literal of Snappy has a negative length",
    /a page is cut off/,
    { pages: [first(bytes(4, 0xfc, 0xfa, 0xff, 0xff, 0xff, 0, 0), { 2: 4 })], codec: 1 },
  ],
  [
    "a group unpacks to more than 512 MB",
    /bytes of a group without compression: 536870913 is not between 0 and 536870912/,
    { pages: [first(bombs, { 2: 2 ** 29 + 1 })], codec: 1 },
  ],
  ["a page has too many values", /values of a page: 2147483647 /, { pages: [first(four, {}, { 1: HUGE })] }],
  ["a page has too many nulls", /nulls of a page: 2147483647 /, { pages: [second(four, { 2: HUGE })] }],
  [
    "a page has too long levels",
    /bytes of levels: 2147483647 is not between 0 and 20/,
    { pages: [second(four, { 5: HUGE })] },
  ],
  [
    "a dictionary has too many values",
    /values of a dictionary: 2147483647 /,
    { pages: [dictionary({ 1: HUGE }), second(four)] },
  ],
  ["a dictionary is missing", /a page has no dictionary/, { pages: [second(bytes(0, 8), { 4: 8 })] }],
  [
    "a run of levels is too long",
    /equal numbers: 1073741823 is not between 0 and 4/,
    { pages: [first(bytes(6, 0, 0, 0, ...varint(2 * (2 ** 30 - 1)), 1, ...four))], optional: true },
  ],
  [
    "a run of indices is too long",
    /equal numbers: 1073741823 is not between 0 and 4/,
    { pages: [dictionary(), second(bytes(1, ...varint(2 * (2 ** 30 - 1)), 0), { 4: 8 })] },
  ],
  [
    "numbers of no bits never end",
    /packed numbers: 1073741823 is not between 0 and 4/,
    { pages: [dictionary(), second(bytes(0, ...varint(HUGE)), { 4: 8 })] },
  ],
  [
    "a block of differences has too many parts",
    /parts of a block: 2147483647 /,
    { pages: [second(bytes(...varint(128), ...varint(HUGE), 4, 0, 0, 0, 0), { 4: 5 })] },
  ],
  [
    "an encoding repeats texts",
    /unsupported encoding: DELTA_BYTE_ARRAY/,
    { pages: [second(four, { 4: 7 })] },
  ],
  ["a group has too many rows", /rows of a group: 1099511627776 /, { pages: [first(four)], rows: 2n ** 40n }],
  [
    "pages end before the rows",
    /bytes of a field: 1 is not between 0 and 0/,
    { pages: [first(four)], rows: 5n },
  ],
  ["a column starts outside", /start of a column: 99999 /, { pages: [first(four)], column: { 9: 99999n } }],
  ["a column is too long", /bytes of a column: 99999 /, { pages: [first(four)], column: { 7: 99999n } }],
  [
    "a schema is too wide",
    /columns: 4000 is not between 0 and 2000/,
    { pages: [first(four)], file: { 2: Array(4000).fill({ 4: "a" }) } },
  ],
  ["metadata are too long", /bytes of metadata: 4294967295 /, endedParquet(four, bytes(0), 2 ** 32 - 1)],
  [
    "a list of metadata is too long",
    /elements of a list: 2147483647 /,
    endedParquet(bytes(0, 0, 0, 0), bytes(0x29, 0xf5, ...varint(HUGE), 0)),
  ],
  [
    "a number of metadata is too long",
    /no number at byte 1/,
    endedParquet(four, bytes(0x15, ...Array(99).fill(255))),
  ],
  ["lists lie too deep in each other", /in each other: 33 /, endedParquet(four, nested(99))],
  [
    "metadata have too many fields",
    /fields: 2097153 /,
    endedParquet(four, thriftOf({ 2: Array(2 ** 21 + 1).fill(1) })),
  ],
])("refused before it takes memory or time: %s", async (_, why, crafted) => {
  const message = await unpack(crafted).catch(String);
  expect(message).toMatch(why);
  expect(message).toMatch(
    /a\.parquet: cannot be read as a Parquet file \([^;\n]*\); replace it by a whole copy$/,
  );
});

test("a picture that a dictionary repeats is not copied, and not written without end", async () => {
  const picture = Buffer.alloc(2 ** 20, 7);
  const body = Buffer.concat([bytes(0, 0, 16, 0), picture]);
  const header = { 1: 2, 2: body.length, 3: body.length, 7: { 1: 1, 2: 0 } };
  const indices = bytes(0, ...varint(2 ** 17));
  const rows = 2 ** 16;
  const page = second(indices, { 1: rows, 3: rows, 4: 8 });
  const file = { pages: [{ header, body }, page], rows: BigInt(rows) };
  await expect(unpack(file)).rejects.toThrow(/a\.parquet: unpacks to more than 210 MB/);
});

// Differences that begin with a number of a million bytes: each byte takes longer than the one before.
const slow: Crafted = {
  pages: [second(Buffer.concat([bytes(...varint(128), 4, 4), Buffer.alloc(2 ** 20, 0xff)]), { 4: 5 })],
};

test("a file for which the decoder takes too long is refused in time, and the next is read", async () => {
  await expect(unpack(slow, { patience: 300 })).rejects.toThrow(
    /a\.parquet: cannot be read as a Parquet file \(it takes over 1 s\); replace it by a whole copy$/,
  );
  expect(await readdir((await unpack({ pages: [first(four)], rows: 4n })).folder)).toHaveLength(4);
});

test("a stop while a group of rows is read ends at once", async () => {
  const controller = new AbortController();
  const reason = new Error("Ctrl-C");
  await writeFile(path, craftedParquet(slow));
  // Unpacking begins after the metadata were read.
  const report = () => void setImmediate(() => controller.abort(reason));
  const limits = { patience: Number.MAX_SAFE_INTEGER, signal: controller.signal };
  await expect(unpackedParquet([path], { reader, report, ...limits })).rejects.toBe(reason);
});
