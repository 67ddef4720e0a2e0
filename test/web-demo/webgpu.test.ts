import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executablePath, launch, type Place, pixelsOn, served, watch } from "./browser.js";
import { smallFiles } from "./small-files.js";

/** A GPU in software takes a second and more for a step. */
const slow = { timeout: 90_000 };

describe.skipIf(!executablePath)("the page on a GPU", () => {
  let browser: Browser;
  let place: Place;
  let page: Page;
  let seen: string[] = [];

  beforeAll(async () => {
    browser = await launch({ gpu: true });
    place = await served();
    // A sheet that moves is not the one to compare.
    page = await browser.newPage({ reducedMotion: "reduce" });
    page.setDefaultTimeout(slow.timeout);
    seen = watch(page, place.url);
    await page.goto(`${place.url}?seed=7&count=16&model=generator.onnx`);
    await page.locator("#start:enabled").waitFor();
    await page.locator("#train-settings summary").click();
  });
  afterAll(async () => {
    await browser?.close();
    await place?.close();
    expect(seen).toEqual([]);
  });

  const hasGpu = async (skip: (note: string) => void) => {
    const providers = await page.locator("#provider option").count();
    if (providers < 2) skip("this Chromium finds no WebGPU adapter, not even SwiftShader");
  };

  test("draws the sheet that the CPU draws, when it is switched", async ({ skip }) => {
    await hasGpu(skip);
    const cpu = await pixelsOn(page, "#sheet canvas");
    expect(await page.locator("#provider").inputValue()).toBe("wasm");
    await page.locator("#sheet canvas").evaluate((canvas: HTMLCanvasElement) => {
      canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
    });
    await page.locator("#provider").selectOption("webgpu");
    await expect
      .poll(async () => {
        const { grey } = await pixelsOn(page, "#sheet canvas");
        return grey.reduce((most, value, i) => Math.max(most, Math.abs(value - cpu.grey[i])), 0);
      }, slow)
      .toBeLessThanOrEqual(2);
    expect(await page.locator("#problem").textContent()).toBe("");
  }, 100_000);

  test("trains there, and says so", async ({ skip }) => {
    await hasGpu(skip);
    // A GPU in software is there, but nothing to prefer.
    expect(await page.locator("#train-provider option").first().getAttribute("value")).toBe("wasm");
    await page.locator("#data-files").setInputFiles(smallFiles());
    await page.getByText(/^\d+ of train-images-idx3-ubyte/).waitFor();
    await page.locator("#train-provider").selectOption("webgpu");
    await page.locator("#start").click();
    const said = page.locator("#train-progress");
    await expect.poll(() => said.textContent(), slow).toMatch(/^step \d+, epoch \d+ · .* · GPU \(WebGPU\)$/);
    // On the CPU the same goes on.
    await page.locator("#train-provider").selectOption("wasm");
    await expect.poll(() => said.textContent(), slow).toMatch(/steps a second · CPU, /);
    expect(await page.locator("#train-problem").textContent()).toBe("");
  }, 200_000);
});
