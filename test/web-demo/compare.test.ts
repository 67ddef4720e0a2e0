import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodePng } from "../../src/data/png.node.js";
import { paintSheet } from "../../src/data/sheet.js";
import { servePage } from "../../src/serving/page-server.js";
import { smoothedTrack } from "../../web-demo/runs/feed.js";
import { someBytes } from "../helpers/dataset.js";
import { executablePath, faultsOf, launch, watch } from "./browser.js";

test("smoothed curves begin at their first value and tend to the later ones", () => {
  const { y } = smoothedTrack({ x: [1, 2, 3], y: [4, 0, 0] }, 0.5);
  expect(y[0]).toBe(4);
  expect(y[1]).toBeCloseTo(4 / 3);
  expect(smoothedTrack({ x: [1, 2], y: [4, 7] }, 0).y).toEqual([4, 7]);
});

describe.skipIf(!executablePath)("the page of several runs", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gan-onnx-compare-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function writeRun(name: string, learningRate: number, sheets: readonly number[]): Promise<void> {
    await mkdir(join(folder, name, "img"), { recursive: true });
    const settings = {
      recipe: "vanilla",
      data: "/secret/place/digits",
      ep: "cpu",
      epochs: 9,
      batchSize: 8,
      seed: 0,
    };
    await writeFile(join(folder, name, "config.json"), JSON.stringify({ ...settings, learningRate }));
    const lines = [1, 2, 3, 4].map((iteration) =>
      JSON.stringify({ epoch: 1, iteration, d_loss: 1 / iteration }),
    );
    await writeFile(join(folder, name, "metrics.jsonl"), `${lines.join("\n")}\n`);
    const bytes = someBytes(4 * 16);
    const png = await encodePng(
      paintSheet(bytes, { count: 4, channels: 1, height: 4, width: 4 }, { range: [0, 255] }),
    );
    for (const epoch of sheets) await writeFile(join(folder, name, "img", `fake_images-${epoch}.png`), png);
  }

  test("marks settings that differ, shows sheets of one epoch, and finds a run that begins later", async () => {
    await writeRun("first", 0.1, [1, 2, 4]);
    await writeRun("second", 0.2, [1, 3]);
    const server = await servePage(0, { runs: { within: folder } });
    const browser = await launch();
    try {
      const page = await browser.newPage({ viewport: { width: 390, height: 800 } });
      page.setDefaultTimeout(30_000);
      const { origin } = new URL(server.url);
      const seen = watch(page, origin);
      await page.goto(server.url);
      await page.getByRole("status").filter({ hasText: "2 runs." }).waitFor();
      const row = (name: string) =>
        page.locator("tr", { has: page.getByRole("rowheader", { name, exact: true }) });
      expect(await page.locator("tr.differs th[scope=row]").allTextContents()).toEqual(["learningRate"]);
      expect(await row("data").locator("td").allTextContents()).toEqual(["digits", "digits"]);

      expect(await page.locator("#sheets figcaption").allTextContents()).toEqual([
        "first, epoch 4",
        "second, epoch 3",
      ]);
      await page.getByLabel("Epoch", { exact: true }).fill("1");
      expect(await page.locator("#sheets figcaption").allTextContents()).toEqual([
        "first, epoch 2",
        "second, epoch 1",
      ]);

      await page.getByLabel("Smoothing").fill("0");
      const chart = page.getByRole("img", { name: /^d_loss/ });
      expect(await chart.getAttribute("aria-label")).toBe("d_loss, first 0.25, second 0.25");
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByText("Save CSV").click(),
      ]);
      const csv = await readFile(await download.path(), "utf8");
      expect(csv.split("\n").slice(0, 3)).toEqual([
        "run,metric,unit,at,value",
        "first,d_loss,step,1,1",
        "first,d_loss,step,2,0.5",
      ]);
      expect(csv.trim().split("\n")).toHaveLength(9);

      await page.getByLabel("Show first").uncheck();
      expect(await chart.getAttribute("aria-label")).toBe("d_loss, second 0.25");
      expect(await faultsOf(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);

      await writeRun("third", 0.2, []);
      await page.getByRole("status").filter({ hasText: "3 runs." }).waitFor();
      await page.getByRole("link", { name: "second" }).click();
      await page.getByRole("heading", { name: "second" }).waitFor();
      await page.getByText("epoch 3", { exact: true }).waitFor();
      expect(seen).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  });

  test.each(["..", "%2e%2e", "nowhere", "first%2f..", "__proto__"])(
    "answers nothing for the run %s",
    async (key) => {
      const server = await servePage(0, { runs: { within: folder } });
      const { origin } = new URL(server.url);
      expect((await fetch(`${origin}/runs/${key}/run/img/fake_images-1.png`)).status).toBe(404);
      expect((await fetch(`${origin}/runs/${key}/run/config.json`)).status).toBe(404);
      await server.close();
    },
  );
});
