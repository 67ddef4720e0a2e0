import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PageServer, servePage } from "../../src/serving/page-server.js";

let server: PageServer;
let port: number;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gan-onnx-serve-"));
  await mkdir(join(folder, "models"));
  await writeFile(join(folder, "index.html"), "<!doctype html><title>the page</title>");
  await writeFile(join(folder, "models/index.json"), "[]");
  server = await servePage(0, {}, folder);
  port = Number(new URL(server.url).port);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** Status and body of a request, with headers as they are given. */
function ask(path: string, options: { host?: string; method?: string; at?: string } = {}) {
  const { host = `127.0.0.1:${port}`, method = "GET", at = "127.0.0.1" } = options;
  return new Promise<{ status?: number; body: string }>((resolve, reject) => {
    const asked = request(
      { host: at, port, path, method, headers: { Host: host }, agent: false },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        response.on("end", () => resolve({ status: response.statusCode, body }));
      },
    );
    asked.on("error", reject).end();
  });
}

test("200 requests at once are answered", async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => ask("/")));
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.includes("the page")}`))).toEqual(
    new Set(["200 true"]),
  );
});

test("another site's name for this machine is refused, and so is any method but GET and HEAD", async () => {
  for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example"]) {
    expect([host, (await ask("/", { host })).status]).toEqual([host, 403]);
  }
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    expect([method, (await ask("/", { method })).status]).toEqual([method, 405]);
  }
  expect(await ask("/", { method: "HEAD" })).toEqual({ status: 200, body: "" });
});

test.each([
  "/../package.json",
  "/%2e%2e/package.json",
  "/..%2fpackage.json",
  "/%00",
  "//etc/passwd",
  "/.git/config",
])("no file is reached by %s", async (path) => {
  const { status, body } = await ask(path);
  expect([400, 403, 404]).toContain(status);
  expect(body).not.toContain("gan-onnx");
});

test("a client that sends its request slowly is let go", async () => {
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: ");
  const ended = new Promise<void>((resolve) => socket.on("close", () => resolve()).on("error", () => {}));
  socket.resume();
  await ended;
  // Others are served meanwhile and after.
  expect((await ask("/")).status).toBe(200);
});
