import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { Header, type HeaderData } from "tar";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { unpacked } from "../src/data/archive.node.js";
import { unpackedParquet } from "../src/data/parquet.node.js";
import { ParquetReader } from "../src/data/parquet-reader.node.js";
import { readPictures } from "../src/data/pictures.node.js";
import { checkPath } from "../src/runs/check.js";
import { listRuns } from "../src/runs/list.js";
import { readReport } from "../src/runs/report-data.js";
import { reportPage } from "../src/runs/report-page.js";
import { checkMetrics, truncateMetrics } from "../src/runs/run-folder.js";
import { resultsOf, rowsOf, tableRun } from "../src/runs/table.js";
import { newsOf } from "../src/serving/run-view.js";
import { damaged, everyCase, expectPrintable, expectUnharmed, PATIENCE } from "./helpers/fuzz.js";
import { craftedParquet, parquetOf, pyarrowFile } from "./helpers/parquet.js";
import { flatRows, pictureOf } from "./helpers/pictures.js";
import { zipOf } from "./helpers/zip.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gan-onnx-fuzz-"));
  await mkdir(join(folder, "runs", "one"), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterAll(expectUnharmed);

const picture = pictureOf([...flatRows(0x336699ff, 6, 3), ...flatRows(0xffcc00ff, 6, 2)]);
const base64 = (text: string) => Buffer.from(text, "base64");
const pictures = {
  png: await picture.getBuffer("image/png"),
  jpg: await picture.getBuffer("image/jpeg"),
  bmp: await picture.getBuffer("image/bmp"),
  gif: await picture.getBuffer("image/gif"),
  tiff: await picture.getBuffer("image/tiff"),
  "lossless.webp": base64("UklGRh4AAABXRUJQVlA4TBEAAAAvA8AAAAdQ5CrUo/+BiOh/AAA="),
  "transparent.webp": base64("UklGRhoAAABXRUJQVlA4TA4AAAAvA8AAEAcQEQUMRET/Aw=="),
};

describe.each(Object.entries(pictures))("a picture in form of %s", (extension, whole) => {
  const read = async (bytes: Uint8Array) => {
    const path = `picture.${extension}`;
    await writeFile(join(folder, path), bytes);
    const images = new Uint8Array(new SharedArrayBuffer(16));
    const large = new Int32Array(new SharedArrayBuffer(4));
    const [{ broken }] = await readPictures({ folder, size: 4, channels: 1, images, large }, [
      { place: 0, path },
    ]);
    if (broken !== undefined) expectPrintable(broken);
    return broken;
  };

  test("is read whole", async () => {
    expect(await read(whole)).toBeUndefined();
  });

  test(
    "with damage is read, or left out with a reason of one line",
    () => everyCase(damaged(whole), read),
    PATIENCE,
  );
});

/** A tar archive, see POSIX ustar: a header of 512 bytes before each file, and content filled up to 512. */
function tarOf(entries: readonly (HeaderData & { content?: string })[]): Buffer {
  const blocks = entries.flatMap(({ content = "", ...about }) => {
    const header = new Header({ mode: 0o644, size: content.length, type: "File", ...about });
    const block = Buffer.alloc(512);
    header.encode(block);
    const data = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    data.write(content, "latin1");
    return [block, data];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

describe("an archive", () => {
  const files = { "a/1.png": "one", "b/2.png": "two", "notes.txt": "left out" };
  const archives = {
    zip: zipOf(files),
    tar: tarOf(Object.entries(files).map(([path, content]) => ({ path, content }))),
  };
  const wholes = Object.entries({ ...archives, "tar.gz": gzipSync(archives.tar) });
  let place: string;
  let count = 0;
  beforeAll(async () => {
    place = join(folder, "archives");
    await mkdir(place);
    vi.stubEnv("GAN_ONNX_CACHE", join(place, "cache"));
  });
  afterAll(() => void vi.unstubAllEnvs());

  /** Unpack it, and require that nothing was written beside the cache. */
  const unpack = async (bytes: Uint8Array, extension: string): Promise<string[]> => {
    const archive = join(place, `${count++}.${extension}`);
    await writeFile(archive, bytes);
    try {
      const to = await unpacked(archive, (name) => name.endsWith(".png"), {});
      return (await readdir(to, { recursive: true })).sort();
    } finally {
      await rm(archive);
      expect(await readdir(place)).toEqual(["cache"]);
      expect(await readdir(join(place, "cache"))).toEqual(["archives"]);
    }
  };

  test.each(wholes)("of form %s is unpacked whole", async (extension, whole) => {
    expect(await unpack(whole, extension)).toEqual(["a", "a/1.png", "b", "b/2.png", "notes.txt"]);
  });

  test.each(wholes)(
    "of form %s with damage is unpacked, or refused by one line",
    (extension, whole) => everyCase(damaged(whole), (bytes) => unpack(bytes, extension)),
    PATIENCE,
  );

  const path = fc
    .array(
      fc.constantFrom(
        "..",
        ".",
        "",
        "a",
        "b.png",
        "link",
        "C:",
        "con",
        "x\\y",
        "\u202e",
        "\0",
        "é".repeat(90),
      ),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    .map((parts) => parts.join("/"));
  test(
    "with paths and links to anywhere writes nothing outside its folder",
    () =>
      everyCase(
        fc.array(
          fc.record({
            path,
            content: fc.string({ maxLength: 8 }),
            type: fc.constantFrom("File", "SymbolicLink", "Link", "Directory", "CharacterDevice"),
            linkpath: path,
          }),
          { minLength: 1, maxLength: 4 },
        ),
        async (entries) => {
          await unpack(tarOf(entries), "tar").finally(() =>
            unpack(zipOf(Object.fromEntries(entries.map((entry) => [entry.path, entry.content]))), "zip"),
          );
        },
      ),
    PATIENCE,
  );
});

describe("a Parquet file", async () => {
  const rows = [10, 20, 10, undefined].map((grey, label) => ({ grey, label }));
  const note =
    '{"info":{"features":{"image":{"_type":"Image"},"label":{"_type":"ClassLabel","names":["a","b"]}}}}';
  const wholes: [string, number, Uint8Array][] = [
    ["in Snappy with labels", 4, await parquetOf(rows, note)],
    [
      "without compression and labels",
      4,
      await parquetOf(rows, undefined, { codec: "UNCOMPRESSED", labels: false }),
    ],
    ["of pyarrow with dictionaries", 5, pyarrowFile],
  ];
  const reader = new ParquetReader();
  let place: string;
  let count = 0;
  beforeAll(async () => {
    place = join(folder, "parquet");
    await mkdir(join(place, "cache", "archives"), { recursive: true });
    vi.stubEnv("GAN_ONNX_CACHE", join(place, "cache"));
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await reader.close();
  });

  /** Unpack it, and require that nothing else is left. */
  const unpack = async (bytes: Uint8Array) => {
    const path = join(place, `${count++}.parquet`);
    await writeFile(path, bytes);
    try {
      const { folder: to } = await unpackedParquet([path], { reader });
      const names = await readdir(to, { recursive: true });
      await rm(to, { recursive: true });
      return names.filter((name) => name.endsWith(".png"));
    } finally {
      await rm(path);
      expect(await readdir(place, { recursive: true })).toEqual(["cache", "cache/archives"]);
    }
  };

  test.each(wholes)("%s is read whole", async (_, pictures, whole) => {
    expect(await unpack(whole)).toHaveLength(pictures);
  });

  test.each(wholes)(
    "%s with damage is read, or refused by one line",
    (_, __, whole) => everyCase(damaged(whole), unpack, 50),
    PATIENCE,
  );

  const said = fc.oneof(fc.nat(9), fc.constantFrom(-1, 16, 64, 1000, 2 ** 30, 2 ** 31 - 1, -(2 ** 31)));
  const mostly = (value: number) => fc.oneof({ arbitrary: fc.constant(value), weight: 7 }, said);
  const encoding = fc.constantFrom(0, 2, 5, 6, 8);
  // Of Snappy: a length, then literals of one byte, copies of up to 64, and a literal of a negative length.
  const part = fc.constantFrom([0, 7], [0, 0], [0xfe, 1, 0], [0xfc, 250, 255, 255, 255]);
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.array(part).map((parts) => {
      const size = parts.reduce((sum, [tag]) => sum + (tag === 0 ? 1 : 64), 0) % 128;
      return Uint8Array.from([size, ...parts.flat()]);
    }),
  );
  const page = body.chain((body) => {
    const sizes = { 2: fc.oneof(mostly(body.length), mostly(body[0] ?? 0)), 3: mostly(body.length) };
    const first = fc.record({ 1: mostly(4), 2: encoding, 3: fc.constant(3), 4: fc.constant(3) });
    const levels = { 5: mostly(1), 6: mostly(0), 7: fc.boolean() };
    const header = fc.oneof(
      fc.record({ 1: fc.constant(0), ...sizes, 5: first }),
      fc.record({ 1: fc.constant(2), ...sizes, 7: fc.record({ 1: mostly(1), 2: fc.constant(0) }) }),
      fc.record({
        1: fc.constant(3),
        ...sizes,
        8: fc.record({ 1: mostly(4), 2: mostly(0), 3: mostly(4), 4: encoding, ...levels }),
      }),
    );
    return header.map((header) => ({ header, body }));
  });
  const crafted = fc.record({
    pages: fc.array(page, { minLength: 1, maxLength: 3 }),
    rows: fc.oneof({ arbitrary: fc.constant(4n), weight: 7 }, fc.constantFrom(0n, -1n, 60_000n, 2n ** 40n)),
    codec: fc.constantFrom(0, 1),
    optional: fc.boolean(),
  });

  test(
    "with pages that say anything is read, or refused by one line",
    () => everyCase(crafted, (of) => unpack(craftedParquet(of)), 50),
    PATIENCE,
  );
});

/** Everything that reads the folder of a run. */
async function readRun(): Promise<void> {
  const run = join(folder, "runs", "one");
  const report = await readReport(run);
  expect(reportPage(report, [])).not.toMatch(/<b>/);
  await listRuns(join(folder, "runs"));
  rowsOf(await resultsOf([await tableRun(run)]));
  await newsOf(run, { file: "", from: 0 });
  for (const { fault } of await checkPath(run)) if (fault !== undefined) expectPrintable(fault);
  await truncateMetrics(join(run, "metrics.jsonl"), { epoch: 1, step: 1 });
}

const names = fc.oneof(
  fc.constantFrom(
    "epoch",
    "iteration",
    "d_loss",
    "scores",
    "classes",
    "warnings",
    "files",
    "train.onnx",
    "sha256",
  ),
  fc.constantFrom("__proto__", "constructor", "<b>", "../x"),
  fc.string(),
);
const value = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(names, fc.jsonValue()),
  fc.double(),
  fc.constantFrom("<b>", 1e300, -1),
);
const line = fc.oneof(
  { arbitrary: fc.dictionary(names, value).map((of) => JSON.stringify(of)), weight: 5 },
  fc.jsonValue().map((of) => JSON.stringify(of)),
  fc.string(),
);
const step = (i: number) => JSON.stringify({ epoch: 1, iteration: i, d_loss: 0.5 });

test(
  "lines of metrics and scores that say anything are shown, or left out",
  () =>
    everyCase(
      fc.tuple(fc.array(line, { maxLength: 8 }), fc.array(line, { maxLength: 4 })),
      async ([metrics, scores]) => {
        const run = join(folder, "runs", "one");
        await writeFile(join(run, "config.json"), '{"recipe":"vanilla","data":"mnist","epochs":2}');
        await writeFile(join(run, "metrics.jsonl"), [step(1), ...metrics, step(2)].join("\n"));
        await writeFile(join(run, "scores.jsonl"), scores.join("\n"));
        await readRun();
      },
    ),
  PATIENCE,
);

test(
  "a configuration, provenance and manifest that say anything are shown, or refused by one line",
  () =>
    everyCase(fc.tuple(line, line, line), async ([config, provenance, manifest]) => {
      const run = join(folder, "runs", "one");
      await writeFile(join(run, "config.json"), config);
      await writeFile(join(run, "provenance.json"), provenance);
      await writeFile(join(run, "manifest.json"), manifest);
      await readRun();
    }),
  PATIENCE,
);

test("a line of 40 MB among the metrics is no line: it is left out, named by check, and takes no memory", async () => {
  const run = join(folder, "runs", "one");
  const path = join(run, "metrics.jsonl");
  await writeFile(join(run, "config.json"), '{"recipe":"vanilla","data":"mnist","epochs":2}');
  await writeFile(path, `${step(1)}\n`);
  const part = Buffer.alloc(2 ** 22, "x");
  for (let i = 0; i < 10; i++) await writeFile(path, part, { flag: "a" });
  await writeFile(path, `\n${step(2)}\n`, { flag: "a" });
  const { metrics } = await readReport(run);
  expect(metrics).toEqual([
    {
      name: "d_loss",
      points: [
        [0.5, 0.5],
        [1, 0.5],
      ],
    },
  ]);
  await expect(checkMetrics(path)).rejects.toThrow(`${path}: line 2 is no record of a step; remove the line`);
  await truncateMetrics(path, { epoch: 1, step: 0 });
  expect(await checkMetrics(path)).toBe(2);
});
