import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { cacheFolder } from "../../src/data/cache.node.js";
import { loadDataset } from "../../src/data/load.node.js";
import { loadMnistLike, type MnistOptions, mnistFiles, mnistLikes } from "../../src/data/mnist.node.js";
import { idx } from "../helpers/idx.js";
import { mirror, realMnist, remoteFile, temporaryFolder } from "./files.js";

const loadMnist = (options: MnistOptions) => loadMnistLike("mnist", options);

const content: Record<string, Uint8Array> = {
  "train-images": gzipSync(idx([2, 28, 28], new Uint8Array(2 * 28 * 28).fill(9))),
  "train-labels": gzipSync(idx([2], [7, 3])),
  "t10k-images": gzipSync(idx([1, 28, 28], new Uint8Array(28 * 28))),
  "t10k-labels": gzipSync(idx([1], [5])),
};
const names = Object.keys(content);
const [trainImages, trainLabels, testImages, testLabels] = names.map((name) =>
  remoteFile(name, content[name]),
);
const files = { trainImages, trainLabels, testImages, testLabels };

const sends: RequestListener = (request, response) => response.end(content[request.url!.slice(1)]);
const notFound: RequestListener = (_, response) => response.writeHead(404).end();
const spoilt: RequestListener = (request, response) => {
  const copy = Uint8Array.from(content[request.url!.slice(1)]);
  copy[20] ^= 1;
  response.end(copy);
};

describe("loadMnist", () => {
  test("downloads the four files once, telling how far it is", async () => {
    const folder = join(await temporaryFolder(), "new", "mnist");
    const { url, requests } = await mirror(sends);
    const told: unknown[][] = [];
    const options = {
      seed: 1,
      folder,
      files,
      mirrors: [url],
      report: (...args: unknown[]) => told.push(args),
    };
    const dataset = await loadMnist(options);
    expect(dataset).toMatchObject({ name: "mnist", count: 2, channels: 1, height: 28, width: 28 });
    expect(dataset.images.every((value) => value === 9)).toBe(true);
    expect([...dataset.labels!]).toEqual([7, 3]);
    expect(requests).toEqual(names);
    expect((await readdir(folder)).sort()).toEqual(names.toSorted());
    const size = trainLabels.bytes;
    expect(told).toContainEqual(["downloading train-labels", size, size]);

    await loadMnist(options);
    expect(requests).toEqual(names);
  });

  test("replaces a kept file that is broken", async () => {
    const folder = await temporaryFolder();
    const { url, requests } = await mirror(sends);
    const options = { seed: 1, folder, files, mirrors: [url] };
    await loadMnist(options);
    await writeFile(join(folder, "train-labels"), content["train-labels"].with(11, 99));
    await writeFile(join(folder, "t10k-labels"), content["t10k-labels"].subarray(3));
    await loadMnist(options);
    expect(requests).toEqual([...names, "train-labels", "t10k-labels"]);
    expect(new Uint8Array(await readFile(join(folder, "train-labels")))).toEqual(
      new Uint8Array(content["train-labels"]),
    );
  });

  test.each([
    ["has no such file", notFound],
    ["sends a wrong byte", spoilt],
    [
      "breaks off",
      ((_, response) => response.writeHead(200).write("x", () => response.destroy())) as RequestListener,
    ],
    ["sends too little", ((_, response) => response.end("x")) as RequestListener],
    ["sends too much", ((_, response) => response.end(new Uint8Array(1e6))) as RequestListener],
    ["never answers", () => {}],
    ["stalls halfway", ((_, response) => response.writeHead(200).write("x")) as RequestListener],
  ])("goes on to the second mirror where the first %s", async (_, listener) => {
    const [first, second] = [await mirror(listener), await mirror(sends)];
    const folder = await temporaryFolder();
    const options = { seed: 1, folder, files, mirrors: [first.url, second.url], stallMs: 200 };
    expect((await loadMnist(options)).count).toBe(2);
    expect(first.requests).toEqual(names);
    expect(second.requests).toEqual(names);
    expect((await readdir(folder)).sort()).toEqual(names.toSorted());
  });

  test("tells what every mirror said, and where to put the files, when all fail", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "train-images"), "broken");
    const stalls = await mirror(() => {});
    const [missing, bad] = [await mirror(notFound), await mirror(spoilt)];
    const mirrors = ["http://127.0.0.1:1/", missing.url, bad.url, stalls.url];
    const thrown = await loadMnist({ seed: 1, folder, files, mirrors, stallMs: 200 }).catch((error) => error);
    expect(thrown).toMatchObject({ name: "GanOnnxError", kind: "failure" });
    const parts = [
      "data mnist: train-images could not be downloaded (",
      `${join(folder, "train-images")}: is 6 bytes, expected ${trainImages.bytes}; `,
      "http://127.0.0.1:1/train-images: fetch failed: ",
      `${missing.url}train-images: HTTP 404 Not Found; `,
      `${bad.url}train-images: its MD5 is `,
      `, expected ${trainImages.md5}; `,
      `${stalls.url}train-images: nothing arrived for 0.2 s)`,
      `; put ${names.join(", ")} into ${folder}, or use data drawn, which needs no download`,
    ];
    for (const part of parts) expect(thrown.message).toContain(part);
    expect(thrown.message).not.toContain("\n");
    expect(await readdir(folder)).toEqual(["train-images"]);
  });

  test("names a cache folder that cannot be written, and asks no second mirror", async () => {
    const folder = join(await temporaryFolder(), "file");
    await writeFile(folder, "");
    const [first, second] = [await mirror(sends), await mirror(sends)];
    const options = { seed: 1, folder, files, mirrors: [first.url, second.url] };
    await expect(loadMnist(options)).rejects.toThrow(`${join(folder, "train-images")}: cannot be written (`);
    expect(second.requests).toEqual([]);
  });

  test("can be aborted while a mirror keeps it waiting", async () => {
    const [first, second] = [await mirror(() => {}), await mirror(sends)];
    const options = { seed: 1, folder: await temporaryFolder(), files, mirrors: [first.url, second.url] };
    const reason = new Error("stopped by the user");
    await expect(loadMnist({ ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const stop = new AbortController();
    const loading = loadMnist({ ...options, signal: stop.signal });
    await expect.poll(() => first.requests.length).toBe(1);
    stop.abort(reason);
    await expect(loading).rejects.toBe(reason);
    expect(second.requests).toEqual([]);
  });

  test.each([
    [{ size: 32 }, "not 1x32x32"],
    [{ channels: 3 as const }, "not 3x28x28"],
  ])("has one form only: %o", async (form, message) => {
    await expect(loadMnist({ seed: 1, ...form, mirrors: [] })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(
        `data mnist: its images are 1x28x28 (channels x height x width), ${message}`,
      ),
    });
  });
});

test("a set of another name has its own folder and classes", async () => {
  vi.stubEnv("GAN_ONNX_CACHE", await temporaryFolder());
  onTestFinished(() => void vi.unstubAllEnvs());
  const { url } = await mirror(sends);
  const dataset = await loadMnistLike("fashion-mnist", { seed: 1, files, mirrors: [url] });
  expect(dataset).toMatchObject({ name: "fashion-mnist", count: 2 });
  expect(dataset.classNames).toHaveLength(10);
  expect(dataset.classNames![9]).toBe("Ankle boot");
  expect((await readdir(join(cacheFolder(), "fashion-mnist"))).sort()).toEqual(names.toSorted());
});

test("a proxy that the environment names is used, and named when it fails", async () => {
  const { url, requests } = await mirror(sends);
  const connections: string[] = [];
  const proxy = createServer((_, response) => response.writeHead(500).end());
  proxy.on("connect", (request, client, head) => {
    connections.push(request.url!);
    const { hostname, port } = new URL(`http://${request.url}`);
    const server = connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      server.write(head);
      server.pipe(client).pipe(server);
    });
  });
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
  const { port } = proxy.address() as AddressInfo;
  vi.stubEnv("HTTP_PROXY", `http://127.0.0.1:${port}`);
  vi.stubEnv("NO_PROXY", "");
  onTestFinished(() => void vi.unstubAllEnvs());
  const options = { seed: 1, files, mirrors: [url] };
  expect((await loadMnist({ ...options, folder: await temporaryFolder() })).count).toBe(2);
  expect(requests).toEqual(names);
  expect(new Set(connections)).toEqual(new Set([new URL(url).host]));
  proxy.closeAllConnections();
  await new Promise((done) => proxy.close(done));
  const refused = loadMnist({ ...options, folder: await temporaryFolder() });
  await expect(refused).rejects.toThrow("through the proxy of HTTP_PROXY: fetch failed: ");
});

test("cacheFolder follows GAN_ONNX_CACHE, then the system's custom", () => {
  expect(cacheFolder({ GAN_ONNX_CACHE: "/kept", XDG_CACHE_HOME: "/x" }, "linux")).toBe("/kept");
  expect(cacheFolder({ XDG_CACHE_HOME: "/x" }, "linux")).toBe("/x/gan-onnx");
  expect(cacheFolder({}, "linux")).toMatch(/\/\.cache\/gan-onnx$/);
  expect(cacheFolder({ XDG_CACHE_HOME: "/x" }, "darwin")).toMatch(/\/Library\/Caches\/gan-onnx$/);
  expect(cacheFolder({ LOCALAPPDATA: "/local" }, "win32")).toBe("/local/gan-onnx");
});

test("the mirrors are folders, to which a file name can be added", () => {
  for (const url of Object.values(mnistLikes).flatMap(({ mirrors }) => mirrors))
    expect(new URL("name", url).href).toBe(`${url}name`);
});

test.skipIf(!realMnist)("the known MD5s are those of the real files (skipped without them)", async () => {
  const cache = await temporaryFolder();
  const folder = join(cache, "mnist");
  await mkdir(folder);
  for (const { name } of Object.values(mnistFiles)) {
    await writeFile(join(folder, name), await readFile(join(realMnist!, name)));
  }
  // With no mirror to ask, only files that pass the check are accepted.
  const dataset = await loadMnist({ seed: 1, folder, mirrors: [] });
  expect(dataset).toMatchObject({ name: "mnist", count: 60_000 });

  vi.stubEnv("GAN_ONNX_CACHE", cache);
  onTestFinished(() => void vi.unstubAllEnvs());
  const named = await loadDataset("mnist", { seed: 1 });
  expect(Buffer.compare(named.images, dataset.images)).toBe(0);
});
