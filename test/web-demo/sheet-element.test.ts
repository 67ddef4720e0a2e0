import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { Jimp } from "jimp";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sampleSheet } from "../../src/export/sample.node.js";
import { executablePath, launch, pixelsOn, plainHost, watch } from "./browser.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const model = join(root, "models/conditional.onnx");

/** The pixels that `gan-onnx sample` draws. */
async function sampled(options: { count: number; classes?: string[] }) {
  const place = { ep: "cpu" } as const;
  const png = await sampleSheet(readFileSync(model), { seed: 3, place, where: model, ...options });
  const { width, height, data } = (await Jimp.fromBuffer(Buffer.from(png))).bitmap;
  return { width, height, grey: Array.from({ length: width * height }, (_, i) => data[4 * i]) };
}

describe.skipIf(!executablePath)("<gan-onnx-sheet>", () => {
  let folder: string;
  let browser: Browser;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gan-onnx-element-"));
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The element of a page, once it has drawn, is what sample draws. */
  async function opened(url: string, path: string, expected: Awaited<ReturnType<typeof sampled>>) {
    const page = await browser.newPage();
    const seen = watch(page, url);
    await page.goto(url + path);
    const canvas = page.locator("gan-onnx-sheet canvas");
    await canvas.waitFor();
    const pixels = await pixelsOn(page, "gan-onnx-sheet canvas");
    expect([pixels.width, pixels.height]).toEqual([expected.width, expected.height]);
    const farthest = pixels.grey.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - expected.grey[i])),
      0,
    );
    expect(farthest).toBeLessThanOrEqual(2);
    return { page, seen };
  }

  test("in a project's bundle draws what sample draws, a few KB besides the runtime", async () => {
    mkdirSync(join(folder, "node_modules"));
    mkdirSync(join(folder, "public"));
    symlinkSync(root, join(folder, "node_modules/gan-onnx"));
    cpSync(model, join(folder, "public/generator.onnx"));
    writeFileSync(join(folder, "main.js"), 'import "gan-onnx/web/sheet";\n');
    const element =
      '<gan-onnx-sheet src="generator.onnx" seed="3" count="9" label="7">Digits</gan-onnx-sheet>';
    const head =
      '<!doctype html><link rel="icon" href="data:," /><script type="module" src="main.js"></script>';
    writeFileSync(join(folder, "index.html"), `${head}${element}`);
    const result = await build({ root: folder, configFile: false, logLevel: "silent", base: "./" });
    if (Array.isArray(result) || !("output" in result)) throw new Error("vite gave no single bundle");
    const code = result.output.flatMap((file) =>
      file.type === "chunk" && (file.isEntry || !file.isDynamicEntry) ? [file.code] : [],
    );
    expect(gzipSync(code.join("\n")).length).toBeLessThan(8 * 1024);

    const host = await plainHost(join(folder, "dist"));
    const { page, seen } = await opened(host.url, "", await sampled({ count: 9, classes: ["7"] }));
    // Nothing of the page is lost when an attribute is wrong, and the next right one draws again.
    await page.locator("gan-onnx-sheet").evaluate((element) => element.setAttribute("label", "12"));
    await page.getByRole("alert").filter({ hasText: 'no class "12": choose from 0 to 9' }).waitFor();
    await page.getByText("Digits").waitFor();
    await page.locator("gan-onnx-sheet").evaluate((element) => element.setAttribute("label", "1"));
    await page.locator("gan-onnx-sheet canvas").waitFor();
    expect(seen).toEqual([]);
    await page.close();
    await host.close();
  });

  test("in embed.html needs no bundler", async () => {
    const host = await plainHost();
    const { page, seen } = await opened(host.url, "embed.html", await sampled({ count: 16 }));
    expect(seen).toEqual([]);
    await page.close();
    await host.close();
  });
});
