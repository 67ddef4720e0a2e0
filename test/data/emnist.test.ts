import { readdir } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { loadEmnist } from "../../src/data/emnist.node.js";
import { idx } from "../helpers/idx.js";
import { zipOf } from "../helpers/zip.js";
import { mirror, remoteFile, temporaryFolder } from "./files.js";

// Each image is white in its first row, as EMNIST stores it: in its first column once it is turned.
const row = Uint8Array.from({ length: 784 }, (_, i) => (i < 28 ? 255 : 0));
const part = (set: string, count: number, label: number) => ({
  [`gzip/${set}-images-idx3-ubyte.gz`]: gzipSync(
    idx([count, 28, 28], Array.from({ length: count }, () => [...row]).flat()),
  ),
  [`gzip/${set}-labels-idx1-ubyte.gz`]: gzipSync(idx([count], Array(count).fill(label))),
});
const content = zipOf({
  ...part("emnist-letters-train", 2, 26),
  ...part("emnist-letters-test", 1, 1),
  ...part("emnist-byclass-train", 1, 1),
  "gzip/emnist-letters-mapping.txt": "1 65 97",
});
const archive = remoteFile("gzip.zip", content);

test("EMNIST's letters come out of its archive: turned, counted from 0, and named", async () => {
  const { url, requests } = await mirror((_, response) => response.end(content));
  const options = { seed: 1, folder: await temporaryFolder(), archive, mirrors: [url] };
  const dataset = await loadEmnist("emnist-letters", "train", options);
  expect(dataset).toMatchObject({ name: "emnist-letters", count: 2, height: 28, width: 28 });
  expect(dataset.classNames).toEqual([..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"]);
  expect([...dataset.labels!]).toEqual([25, 25]);
  const white = Array.from(dataset.images.keys()).filter((i) => dataset.images[i] === 255);
  expect(white).toHaveLength(56);
  expect(white.every((i) => i % 28 === 0)).toBe(true);
  const test = await loadEmnist("emnist-letters", "test", options);
  expect([...test.labels!]).toEqual([0]);
  expect(requests).toEqual(["gzip.zip"]);
  expect(await readdir(options.folder)).toHaveLength(4);
});

test("a part that cannot be had is told, with where to put its files", async () => {
  const { url } = await mirror((_, response) => response.writeHead(404).end());
  const folder = await temporaryFolder();
  await expect(
    loadEmnist("emnist-digits", "train", { seed: 1, folder, archive, mirrors: [url] }),
  ).rejects.toThrow(
    `data emnist-digits: gzip.zip could not be downloaded (${url}gzip.zip: HTTP 404 Not Found); put emnist-digits-train-images-idx3-ubyte.gz and emnist-digits-train-labels-idx1-ubyte.gz into ${folder}`,
  );
  const other = await mirror((_, response) => response.end(content));
  await expect(
    loadEmnist("emnist-digits", "train", { seed: 1, folder, archive, mirrors: [other.url] }),
  ).rejects.toThrow(
    "data emnist-digits: gzip.zip does not hold emnist-digits-train-images-idx3-ubyte.gz and",
  );
});
