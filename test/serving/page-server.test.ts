import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type PageServer, servePage } from "../../src/serving/page-server.js";
import type { News } from "../../src/serving/run-view.js";

const room = await mkdtemp(join(tmpdir(), "gan-onnx-page-"));
const folder = join(room, "page");
await mkdir(join(folder, "models"), { recursive: true });
await writeFile(join(room, "secret.txt"), "secret");
await mkdir(join(room, "page-too"));
await writeFile(join(room, "page-too", "secret.txt"), "secret");
await writeFile(join(folder, ".hidden"), "secret");
await writeFile(join(folder, "index.html"), "<!doctype html>page");
await writeFile(join(folder, "run.html"), "<!doctype html>view");
await writeFile(join(folder, "run.json"), "null");
await writeFile(join(folder, "a.wasm"), "wasm");
await writeFile(join(folder, "models", "index.json"), '["generator.onnx"]');
await writeFile(join(folder, "models", "generator.onnx"), "shipped");

const given = { name: "my digits.onnx", bytes: new TextEncoder().encode("given") };
const run = join(room, "run");
await mkdir(join(run, "img"), { recursive: true });
for (const name of ["config.json", "checkpoint.safetensors", "secret.txt", "img/secret.txt"]) {
  await writeFile(join(run, name), '"secret"');
}
await writeFile(join(run, "img", "real_images.png"), "real");
await writeFile(join(run, "metrics.jsonl"), '{"epoch":1,"iteration":1}\n');
const servers: PageServer[] = [
  await servePage(0, {}, folder),
  await servePage(0, { model: given }, folder),
  await servePage(0, { run }, folder),
];
const [plain, offering, showing] = servers;
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(room, { recursive: true, force: true });
});

/** What is answered to a request line, sent as it stands: `fetch` would tidy its path. */
function raw(line: string, headers: readonly string[] = [], { url }: PageServer = plain): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      answer += text;
    });
    socket.on("end", () => resolve(answer)).on("error", reject);
    const host = headers.some((header) => /^host:/i.test(header)) ? [] : [`Host: ${new URL(url).host}`];
    socket.write(
      [`${line} HTTP/1.1`, ...host, ...headers, "Connection: close", "", ""].join("\r\n"),
      "latin1",
    );
  });
}

describe("the page's server", () => {
  test("answers with its files, their types and the headers that threads need", async () => {
    const page = await fetch(plain.url);
    expect(await page.text()).toContain("page");
    expect(Object.fromEntries(page.headers)).toMatchObject({
      "content-type": expect.stringContaining("text/html"),
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "x-content-type-options": "nosniff",
    });
    const policy = page.headers.get("content-security-policy");
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/);
    expect((await fetch(`${plain.url}a.wasm?v=1`)).headers.get("content-type")).toBe("application/wasm");
  });

  test("answers HEAD without a body, and refuses every other method", async () => {
    const head = await raw("HEAD /index.html");
    expect(head).toMatch(/^HTTP\/1.1 200 /);
    expect(head.trimEnd()).not.toContain("page");
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      expect(await raw(`${method} /`), method).toMatch(/^HTTP\/1.1 405 [\s\S]*\r\nAllow: GET, HEAD\r\n/);
    }
  });

  test.each([
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/%2e%2e%2fsecret.txt",
    "/%252e%252e%252fsecret.txt",
    "/..\\secret.txt",
    "/..%5csecret.txt",
    "/%c0%ae%c0%ae/secret.txt",
    "/models/../../secret.txt",
    "/../page-too/secret.txt",
    "//secret.txt",
    "///etc/passwd",
    "/etc/passwd",
    "//etc/passwd",
    "/%00",
    "/index.html%00",
    "/secret.txt%00.html",
    "/%",
    "/%ff",
    "/.hidden",
    "/.%68idden",
    "/models",
    "/models/",
    "/__proto__",
    "/constructor",
    "http://127.0.0.1/../secret.txt",
    "file:///etc/passwd",
    "/?/../../secret.txt/..",
    "/nothing",
  ])("has nothing but its files: %s", async (path) => {
    const answer = await raw(`GET ${path}`);
    expect(answer).not.toMatch(/secret\b(?!\.)|root:/);
    // What follows a question mark is no path.
    expect(answer).toMatch(path.startsWith("/?") ? /^HTTP\/1.1 200 / : /^HTTP\/1.1 40[04] /);
  });

  test("is not ended by ranges that make no sense", async () => {
    for (const range of ["bytes=5-2", "bytes=-1", "bytes=99-", "bytes=a-b", "lines=1-2"]) {
      expect(await raw("GET /index.html", [`Range: ${range}`]), range).toMatch(/^HTTP\/1.1 200 /);
    }
  });

  test("does not answer to another site's name, nor on another address", async () => {
    expect(await raw("GET /", ["Host: evil.example"])).toMatch(/^HTTP\/1.1 403 /);
    const others = Object.values(networkInterfaces()).flatMap((addresses) =>
      (addresses ?? []).filter(({ family, internal }) => family === "IPv4" && !internal),
    );
    for (const { address } of others) {
      const { port } = new URL(plain.url);
      await expect(fetch(`http://${address}:${port}/`), address).rejects.toThrow("fetch failed");
    }
  });

  test("offers a model before those of the page", async () => {
    const get = async (path: string) => (await fetch(offering.url + path)).text();
    expect(JSON.parse(await get("models/index.json"))).toEqual(["my digits.onnx", "generator.onnx"]);
    expect(await get("models/first-sheet.png")).toMatch(/^<svg [^>]*\/>$/);
    expect(await get("models/my%20digits.onnx")).toBe("given");
    expect(await get("models/generator.onnx")).toBe("shipped");
    expect(await raw("HEAD /models/my%20digits.onnx", [], offering)).not.toContain("given");
    expect(await (await fetch(`${plain.url}models/index.json`)).text()).toBe('["generator.onnx"]');
  });

  test("shows a run: what is new of it, and its pictures", async () => {
    const { origin } = new URL(showing.url);
    expect(showing.url).toBe(`${origin}/run.html`);
    const get = (path: string) => fetch(origin + path);
    expect(await (await get("/run.html")).text()).toContain("view");
    const news = await get("/run.json");
    expect(news.headers.get("content-type")).toBe("application/json");
    const { name, metrics } = (await news.json()) as News;
    expect(name).toBe("run");
    expect(metrics).toMatchObject({ from: 0, text: '{"epoch":1,"iteration":1}\n' });
    const since = async (from: unknown) =>
      (await (await get(`/run.json?file=${metrics?.file}&from=${from}`)).json()) as News;
    expect((await since(metrics?.next)).metrics?.text).toBe("");
    for (const from of ["-1", "1e99", "x", "", "1.5", "99999"]) {
      expect((await since(from)).metrics, from).toEqual({ ...metrics, idle: expect.any(Number) });
    }
    const picture = await get("/run/img/real_images.png?123");
    expect(picture.headers.get("content-type")).toBe("image/png");
    expect(picture.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await picture.text()).toBe("real");
    expect(await raw("HEAD /run/img/real_images.png", [], showing)).toMatch(
      /^HTTP\/1.1 200 (?![\s\S]*real\b)/,
    );
    expect(await raw("GET /run.json", ["Host: evil.example"], showing)).toMatch(/^HTTP\/1.1 403 /);
  });

  test.each([
    "/run/",
    "/run/config.json",
    "/run/metrics.jsonl",
    "/run/checkpoint.safetensors",
    "/run/secret.txt",
    "/run/img",
    "/run/img/",
    "/run/img/secret.txt",
    "/run/img/../secret.txt",
    "/run/img/..%2fsecret.txt",
    "/run/img/%2e%2e/secret.txt",
    "/run/img%2f..%2fsecret.txt",
    "/run/../run/secret.txt",
    "/run/../../secret.txt",
    "/run//secret.txt",
    "/run/img/real_images.png/../../secret.txt",
    "/run/img/real_images.png%00",
    "/run/img/fake_images-1.png",
    "/run/img/fake_images-1.png/../secret.txt",
    "/run\\secret.txt",
    "//run/secret.txt",
    "/run/__proto__",
  ])("has nothing of a run's folder but its pictures: %s", async (path) => {
    for (const server of [showing, plain]) {
      const answer = await raw(`GET ${path}`, [], server);
      expect(answer).toMatch(/^HTTP\/1.1 40[04] /);
      expect(answer).not.toContain("secret");
    }
  });

  test("has no run when none was given", async () => {
    expect(await (await fetch(`${plain.url}run.json?file=x&from=0`)).text()).toBe("null");
    expect(await raw("GET /run/img/real_images.png")).toMatch(/^HTTP\/1.1 404 /);
  });

  test("says what to do when the page is not built, or the port is taken", async () => {
    await expect(servePage(0, {}, join(room, "nowhere"))).rejects.toThrow(
      "nowhere: the page is not built; run `npm run build:web`",
    );
    const { port } = new URL(plain.url);
    await expect(servePage(Number(port), {}, folder)).rejects.toThrow(`port ${port}: is in use; `);
  });
});

test("a page that is built again while it is served is answered as it is now, and what is gone by 404", async () => {
  const built = join(room, "built");
  await mkdir(join(built, "assets"), { recursive: true });
  await writeFile(join(built, "index.html"), "old");
  await writeFile(join(built, "assets", "old.js"), "old");
  const server = await servePage(0, {}, built);
  try {
    const got = async (path: string) => {
      const response = await fetch(new URL(path, server.url));
      return [response.status, await response.text()];
    };
    expect(await got("assets/old.js")).toEqual([200, "old"]);
    await rm(join(built, "assets", "old.js"));
    await writeFile(join(built, "index.html"), "new and longer");
    await writeFile(join(built, "assets", "new.js"), "new");
    expect(await got("assets/old.js")).toEqual([404, "404\n"]);
    expect(await got("assets/new.js")).toEqual([200, "new"]);
    expect(await got("")).toEqual([200, "new and longer"]);

    // Files that come and go while they are asked for.
    const until = Date.now() + 1500;
    const path = join(built, "assets", "blinking.js");
    const blink = async () => {
      while (Date.now() < until) {
        await writeFile(path, "x".repeat(10_000));
        await rm(path);
      }
    };
    const ask = async () => {
      while (Date.now() < until) await got("assets/blinking.js").catch(() => {});
    };
    await Promise.all([blink(), ask(), ask(), ask(), ask()]);
    expect(await got("")).toEqual([200, "new and longer"]);
  } finally {
    await server.close();
  }
});
