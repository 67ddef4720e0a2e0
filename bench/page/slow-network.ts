/**
 * `npx tsx bench/page/slow-network.ts [--rate 1.6] [--latency 562]`: the first visit of the built page on a slow network:
 * when something is seen, when the first sheet is, and when the page draws by itself. The rate is in megabits a second for
 * everything together, the latency in milliseconds for each request; the defaults are those of Chromium's "Fast 3G". A
 * server does this: Chromium's own emulation leaves out what workers load, which is most of it.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { servePage } from "../../src/serving/page-server.js";

const { values } = parseArgs({
  options: { rate: { type: "string", default: "1.6" }, latency: { type: "string", default: "562" } },
});
const bytesPerMillisecond = (Number(values.rate) * 1e6) / 8 / 1000;
/** About the size of ten packets. */
const PART = 14_000;

const page = await servePage(0);
let sent = 0;
/** When the line is free. All answers share it, part by part. */
let free = 0;
const slow = createServer(async ({ url = "/", headers }, response) => {
  // A host far away makes its answer while nothing of it has come.
  const latency = sleep(Number(values.latency));
  const answer = await fetch(new URL(url, page.url), {
    headers: { "accept-encoding": "identity", range: headers.range ?? "" },
  });
  const body = new Uint8Array(await answer.arrayBuffer());
  const compressible = /text|javascript|json|svg/.test(answer.headers.get("content-type") ?? "");
  const bytes = compressible ? await gzipped(body) : body;
  await latency;
  const kept = [
    "content-type",
    "cross-origin-opener-policy",
    "cross-origin-embedder-policy",
    "cache-control",
  ];
  for (const name of kept) {
    const value = answer.headers.get(name);
    if (value) response.setHeader(name, value);
  }
  if (compressible) response.setHeader("content-encoding", "gzip");
  response.writeHead(answer.status);
  for (let at = 0; at < bytes.length; at += PART) {
    const part = bytes.subarray(at, at + PART);
    const now = performance.now();
    free = Math.max(free, now) + part.length / bytesPerMillisecond;
    sent += part.length;
    await sleep(free - now);
    response.write(part);
  }
  response.end();
});
await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
const { port } = slow.address() as AddressInfo;

async function gzipped(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  // A visitor's browser runs already, and has painted another page.
  const other = await browser.newPage();
  await other.goto(page.url);
  await other.locator("#status", { hasText: /from seed/ }).waitFor();
  await other.close();
  const tab = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  tab.setDefaultTimeout(180_000);
  const began = performance.now();
  const tell = (what: string) =>
    console.log(
      `${((performance.now() - began) / 1000).toFixed(1)} s, ${(sent / 1e6).toFixed(2)} MB: ${what}`,
    );
  const seen = (what: string, selector: string, hasText?: RegExp) =>
    tab
      .locator(selector, { hasText })
      .waitFor()
      .then(() => tell(what));
  const all = [
    seen("the title is there", "h1"),
    tab
      .waitForFunction("document.querySelector('#sheet img')?.complete")
      .then(() => tell("a prepared sheet is shown")),
    seen("the page draws its own sheet", "#status", /from seed/),
    seen("a training can be started", "#start:enabled"),
  ];
  await tab.goto(`http://127.0.0.1:${port}/`, { waitUntil: "commit" });
  await Promise.all(all);
  const paint = await tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime");
  const html = await tab.evaluate("performance.getEntriesByType('navigation')[0].responseEnd");
  console.log(
    `HTML complete: ${Math.round(Number(html))} ms, first contentful paint: ${Math.round(Number(paint))} ms`,
  );
} finally {
  await browser.close();
  slow.close();
  slow.closeAllConnections();
  await page.close();
}
