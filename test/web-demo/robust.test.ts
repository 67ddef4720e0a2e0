import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { executablePath, launch, type Place, plainHost, watch } from "./browser.js";
import { small, smallFiles } from "./small-files.js";

describe.skipIf(!executablePath)(`the page in ${executablePath ?? "chromium, which is not here"}`, () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let host: Place;
  beforeAll(async () => {
    browser = await launch();
    host = await plainHost();
  });
  afterEach(() => context.close());
  afterAll(async () => {
    await browser?.close();
    await host?.close();
  });

  async function newPage(serviceWorkers: "allow" | "block" = "allow") {
    context = await browser.newContext({ reducedMotion: "reduce", serviceWorkers });
    page = await context.newPage();
    page.setDefaultTimeout(60_000);
  }
  const draws = () => page.locator("#status", { hasText: /^\d+ digits from seed / }).waitFor();
  const train = async () => {
    await page.locator("#start:enabled").waitFor();
    await page.locator("#data-files").setInputFiles(smallFiles());
    await page.locator("#data", { hasText: `${small.count} of train-images` }).waitFor({ state: "attached" });
    await page.locator("#start").click();
    await page.locator("#train-progress", { hasText: /^step \d/ }).waitFor();
  };

  test("opens without a network after the first visit, behind a sub-path, and trains", async () => {
    const away = await plainHost();
    await newPage();
    // Without the last slash, all relative addresses would be wrong.
    await page.goto(`${away.url.slice(0, -1)}?seed=3`);
    await page.waitForURL(`${away.url}?seed=3`);
    await page.locator("#version", { hasText: /^Version \w+; it opens without a network, too\.$/ }).waitFor();
    await away.close();
    await page.goto(`${away.url}?seed=5`);
    await page.locator("#status", { hasText: "digits from seed 5." }).waitFor();
    await train();
    // The version is kept, too.
    await page.locator("#version", { hasText: /^Version \w+/ }).waitFor();
  });

  test.each([
    ["**/models/generator.onnx", "#problem", "models/generator.onnx: the server answers with something else"],
    ["**/models/index.json", "#problem", "models/index.json: the server answers with something else"],
    [
      "**/*.zipped",
      "#problem",
      /ort-wasm\S*\.zipped: the server answers with something else; copy all files/,
    ],
    ["**/assets/index-*.js", "#missing:visible", "the server answers with something else in their place"],
  ])("says so when the host answers with a page for %s", async (path, place, message) => {
    await newPage("block");
    await page.route(path, (route) =>
      route.fulfill({ contentType: "text/html; charset=utf-8", body: "<!doctype html><title>Home</title>" }),
    );
    await page.goto(host.url);
    await page.locator(place).filter({ hasText: message }).waitFor();
  });

  test("draws and trains when the storage is full, also on later visits", async () => {
    await newPage();
    const session = await context.newCDPSession(page);
    const seen = watch(page, host.url);
    await page.goto(host.url);
    await page.locator("#version", { hasText: "without a network" }).waitFor();
    const { origin } = new URL(host.url);
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
    await page.goto(`${host.url}?seed=5`);
    await draws();
    // A file that was not kept when there was room.
    expect(await page.evaluate(() => fetch("version.json?new").then(({ ok }) => ok))).toBe(true);
    await train();
    await page
      .getByText("Nothing is kept when you close this page: the storage of this browser is full.")
      .waitFor();
    expect(seen).toEqual([]);
  });
});
