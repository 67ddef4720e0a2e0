import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { Jimp } from "jimp";
import type { Browser, BrowserContextOptions, Page, Response } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { exportNetwork } from "../../src/export/network.js";
import { reducedModel } from "../../src/export/reduced.js";
import { floatsIn } from "../../src/tensors/tensor.js";
import { initialState } from "../../src/training/state.js";
import { succeed } from "../helpers/cli.js";
import { onCpu } from "../helpers/on-cpu.js";
import { colour, designed, grey } from "../helpers/recipes.js";
import {
  drop,
  executablePath,
  faultsOf,
  launch,
  layoutShiftOf,
  type Place,
  pixelsOn,
  plainHost,
  served,
  watch,
} from "./browser.js";

const cwd = await mkdtemp(join(tmpdir(), "gan-onnx-page-"));
const shipped = resolve("models/dcgan.onnx");

/** The pixels of a PNG. */
async function read(file: string | Buffer) {
  const bytes = typeof file === "string" ? await readFile(file) : file;
  const { width, height, data } = (await Jimp.fromBuffer(bytes)).bitmap;
  return { width, height, grey: Array.from({ length: width * height }, (_, i) => data[4 * i]) };
}

/** What `gan-onnx sample` draws. */
async function sampled(model: string, ...args: string[]) {
  const file = join(cwd, "sample.png");
  await succeed(["sample", model, "--out", file, "--ep", "cpu", "--scale", "1", ...args], { cwd });
  return read(file);
}

const farthest = (a: readonly number[], b: readonly number[]) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

/** An untrained generator of another form: classes, colours, another size. */
async function otherModel() {
  const image = colour(12);
  const design = designed("conditional", { latent: 20 }, image);
  const position = { recipe: "conditional", seed: 4, epoch: 0, step: 0, images: 0, ...image } as const;
  return exportNetwork(design, { position, state: initialState(design, 4) }, "a/folder/pictures", onCpu);
}

describe.skipIf(!executablePath)(`the page in ${executablePath ?? "chromium, which is not here"}`, () => {
  let browser: Browser;
  const places: Record<string, Place> = {};
  let seen: string[] = [];
  let page: Page;

  beforeAll(async () => {
    browser = await launch();
    places["a static host"] = await plainHost();
    places["gan-onnx serve"] = await served();
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all(Object.values(places).map((place) => place.close()));
    await rm(cwd, { recursive: true, force: true });
  });
  afterEach(async () => {
    await page.context().close();
    expect(seen).toEqual([]);
  });

  /** Open the page, and wait for its first sheet. */
  async function open(
    place = "gan-onnx serve",
    query = "?seed=7&count=16&model=dcgan.onnx",
    options: BrowserContextOptions = {},
  ) {
    // What moves by itself is tested on its own.
    page = await browser.newPage({ reducedMotion: "reduce", ...options });
    page.setDefaultTimeout(30_000);
    const { url } = places[place];
    seen = watch(page, url);
    await page.goto(url + query);
    await shows(/ (digit|picture)s? from seed /);
  }
  const shows = (text: RegExp) => page.getByRole("status").filter({ hasText: text }).waitFor();
  const sheet = () => pixelsOn(page, "#sheet canvas");
  const cell = (index: number) => page.locator("#cells button").nth(index);

  test.each(["a static host", "gan-onnx serve"])(
    "behind %s draws the digits that sample draws",
    async (place) => {
      await open(place);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(place === "gan-onnx serve");
      const [drawn, expected] = [await sheet(), await sampled(shipped, "--seed", "7", "--count", "16")];
      expect([drawn.width, drawn.height]).toEqual([expected.width, expected.height]);
      expect(farthest(drawn.grey, expected.grey)).toBeLessThanOrEqual(2);
      // Strokes on black: neither empty nor noise, in which neighbours differ as much as any two pixels.
      const share = drawn.grey.filter((value) => value > 127).length / drawn.grey.length;
      expect(share).toBeGreaterThan(0.04);
      expect(share).toBeLessThan(0.3);
      const apart = (steps: number) =>
        drawn.grey.slice(steps).reduce((sum, value, i) => sum + Math.abs(value - drawn.grey[i]), 0);
      expect(apart(1)).toBeLessThan(0.6 * apart(15));
    },
  );

  test("loads less than 6 MB, compressed, and nothing that only another provider needs", async () => {
    page = await browser.newPage();
    const { url } = places["gan-onnx serve"];
    seen = watch(page, url);
    const responses: Promise<{ path: string; size: number }>[] = [];
    const note = (response: Response) => {
      const path = new URL(response.url()).pathname;
      responses.push(response.body().then((body) => ({ path, size: gzipSync(body).length })));
    };
    page.on("response", note);
    await page.goto(url);
    await page.locator("#start:enabled").waitFor();
    await page.waitForLoadState("networkidle");
    // The body of what comes later would be lost with the page.
    page.off("response", note);
    const loaded = await Promise.all(responses);
    expect(loaded.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(6e6);
    expect(loaded.filter(({ path }) => /webgpu|asyncify|training-worker/.test(path))).toEqual([]);
    expect(loaded.filter(({ path }) => path.endsWith(".zipped"))).toHaveLength(1);
  });

  test("shows a prepared sheet, the one that it draws, before ONNX Runtime has come", async () => {
    page = await browser.newPage({ reducedMotion: "reduce" });
    const { url } = places["gan-onnx serve"];
    seen = watch(page, url);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    for (const file of ["**/*.zipped", "**/models/generator.onnx"]) {
      await page.route(file, async (route) => {
        await held;
        await route.continue();
      });
    }
    // Neither waits for the other.
    const asked = ["**/*.zipped", "**/models/generator.onnx"].map((file) => page.waitForRequest(file));
    await page.goto(url);
    await Promise.all(asked);
    const file = await page.locator("#sheet img").evaluate(async (image: HTMLImageElement) => {
      await image.decode();
      return image.src;
    });
    const prepared = await read(Buffer.from(await (await fetch(file)).arrayBuffer()));
    expect(await page.locator("body.ready").count()).toBe(0);
    release();
    await shows(/^\d+ digits from seed 0\.$/);
    const drawn = await sheet();
    expect(await page.locator("#sheet img").count()).toBe(0);
    expect([prepared.width, prepared.height]).toEqual([drawn.width, drawn.height]);
    expect(farthest(prepared.grey, drawn.grey)).toBeLessThanOrEqual(2);
  });

  test("shows what a training learns from, and says what it does, before ONNX Runtime has come to train", async () => {
    await open(undefined, undefined, { serviceWorkers: "block" });
    await page.locator("#start:enabled").waitFor();
    const asked = page.waitForRequest("**/*.zipped");
    // It never comes.
    await page.route("**/*.zipped", () => {});
    await page.locator("#start").click();
    await asked;
    await page.locator("#train-status.working", { hasText: "Loading ONNX Runtime…" }).waitFor();
    await expect.poll(async () => Math.max(...(await pixelsOn(page, "#real")).grey)).toBeGreaterThan(200);
    expect(await page.locator("#train-progress").textContent()).toBe("");
  });

  test("brings back a sheet by its link, and the one before by going back", async () => {
    await open();
    const first = await sheet();
    await page.getByRole("button", { name: "New sheet" }).click();
    await shows(/seed (?!7\.)/);
    const second = await sheet();
    expect(second.grey).not.toEqual(first.grey);
    await page.reload();
    await shows(/seed (?!7\.)/);
    expect(await sheet()).toEqual(second);
    await page.goBack();
    await shows(/seed 7\./);
    expect(await sheet()).toEqual(first);
    await page.getByLabel("Count").selectOption("36");
    await shows(/^36 /);
    await page.getByLabel("Seed", { exact: true }).fill("12");
    await page.getByLabel("Seed", { exact: true }).press("Enter");
    await shows(/seed 12\./);
    expect(new URL(page.url()).search).toBe("?seed=12&count=36&model=dcgan.onnx");
  });

  test("saves the sheet as a PNG, and copies its link, or shows it where the browser denies that", async () => {
    await open();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save PNG" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("digits-7.png");
    expect(await read(await download.path())).toEqual(await sheet());

    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const copy = page.getByRole("button", { name: "Copy link" });
    await copy.click();
    await page.getByText("The link is copied: it brings this sheet").waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(new URL(link).searchParams.get("seed")).toBe("7");
    await page.context().clearPermissions();
    // What is not in this list is denied.
    await page.context().grantPermissions(["geolocation"]);
    await copy.click();
    await page.getByText("This browser does not let the page copy").waitFor();
    expect(await page.getByLabel("Text to copy").inputValue()).toBe(link);
  });

  test("walks from one digit to another that is chosen, by keys too", async () => {
    await open();
    await cell(5).click();
    await shows(/^Now choose the second digit\.$/);
    const { grey, width } = await sheet();
    /** How far the preview is from a digit of the sheet, which is 4 wide. */
    const farFrom = async (index: number) => {
      const preview = (await pixelsOn(page, "#preview")).grey;
      const at = (2 + 30 * Math.floor(index / 4)) * width + 2 + 30 * (index % 4);
      return farthest(
        preview,
        preview.map((_, i) => grey[at + Math.floor(i / 28) * width + (i % 28)]),
      );
    };
    await expect.poll(() => farFrom(5)).toBeLessThanOrEqual(2);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    expect(await cell(10).getAttribute("aria-pressed")).toBe("true");
    expect(await cell(5).evaluate((cell) => cell.classList.contains("from"))).toBe(true);
    await page.getByRole("button", { name: "Play", exact: true }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
    const slider = page.getByLabel("Position on the walk");
    expect(await slider.inputValue()).toBe("1");
    expect(await slider.getAttribute("aria-valuetext")).toMatch(
      /^100% of the way from digit, 6 of 16 to digit, 11 of 16$/,
    );
    // The end of the walk is the digit on the sheet.
    await expect.poll(() => farFrom(10)).toBeLessThanOrEqual(2);
    expect(await farFrom(5)).toBeGreaterThan(100);
    await slider.fill("0.5");
    await expect.poll(() => farFrom(10)).toBeGreaterThan(20);
  });

  test("moves along directions, and back", async () => {
    await open();
    const direction = page.getByLabel("Direction 1");
    await direction.waitFor();
    const before = await pixelsOn(page, "#preview");
    await direction.fill("3");
    const moved = async () => farthest((await pixelsOn(page, "#preview")).grey, before.grey);
    await expect.poll(moved).toBeGreaterThan(50);
    await page.getByRole("button", { name: "Reset" }).click();
    await expect.poll(moved).toBe(0);
    expect(await page.getByRole("slider").count()).toBe(5);
  });

  test("moves slowly by itself, until it is to keep still", async () => {
    await open(undefined, undefined, { reducedMotion: "no-preference" });
    const first = await sheet();
    const far = async () => farthest((await sheet()).grey, first.grey);
    await expect.poll(far).toBeGreaterThan(20);
    await page.getByRole("button", { name: "Keep still" }).click();
    await page.getByRole("button", { name: "Let it move" }).waitFor();
    expect(await far()).toBe(0);
  });

  test("does not move by itself for those who want little motion", async () => {
    await open(undefined, undefined, { reducedMotion: "reduce" });
    await cell(1).click();
    await cell(9).click();
    await page.waitForTimeout(300);
    expect(await page.getByLabel("Position on the walk").inputValue()).toBe("0");
  });

  test("draws with a generator that is dropped on it, whatever its size, colours and classes", async () => {
    const bytes = await otherModel();
    const file = join(cwd, "other.onnx");
    await writeFile(file, bytes);
    await open();
    await drop(page, "other.onnx", bytes);
    await page.getByText("conditional, in the first epoch of pictures, seed 4").waitFor();
    await expect.poll(async () => (await sheet()).width).toBe(4 * 14 + 2);
    expect(
      farthest((await sheet()).grey, (await sampled(file, "--seed", "7", "--count", "16")).grey),
    ).toBeLessThanOrEqual(2);
    // A link to it would bring nobody this model.
    expect(new URL(page.url()).searchParams.get("model")).toBeNull();
    await page.locator("#digit").selectOption("3");
    const threes = await sampled(file, "--seed", "7", "--count", "16", "--digits", "3");
    await expect.poll(async () => farthest((await sheet()).grey, threes.grey)).toBeLessThanOrEqual(2);
    await page.goBack();
    await expect.poll(() => page.locator("#digit").inputValue()).toBe("");
    expect(await page.locator("#model").inputValue()).toBe("other.onnx");
    await page.locator("#model").selectOption("dcgan.onnx");
    await expect.poll(async () => (await sheet()).width).toBe(4 * 30 + 2);
    expect(new URL(page.url()).searchParams.get("model")).toBe("dcgan.onnx");
    await page.goBack();
    await expect.poll(async () => (await sheet()).width).toBe(4 * 14 + 2);
    await page.goForward();
    await expect.poll(async () => (await sheet()).width).toBe(4 * 30 + 2);
    expect(await page.locator("#digit").isVisible()).toBe(false);
  });

  test("draws with a generator whose file fixes the size of a batch, as often as it takes", async () => {
    const bytes = await otherModel();
    const file = join(cwd, "any.onnx");
    await writeFile(file, bytes);
    const design = designed("conditional", { latent: 20 }, colour(12));
    const { bytes: five } = await reducedModel(bytes, design, { batch: 5 }, onCpu);
    await open();
    await drop(page, "five.onnx", five);
    await expect.poll(async () => (await sheet()).width).toBe(4 * 14 + 2);
    const expected = await sampled(file, "--seed", "7", "--count", "16");
    await expect.poll(async () => farthest((await sheet()).grey, expected.grey)).toBeLessThanOrEqual(2);
    await page.getByLabel("Direction 4").waitFor();
    expect(await page.locator("#problem").textContent()).toBe("");
  });

  test("draws with a flow, whose file has the solver inside as a Loop", async () => {
    const image = grey(12);
    const design = designed("flow", { width: 4, classes: 3, samplingSteps: 4, solver: "heun" }, image);
    const state = initialState(design, 4);
    // Untrained it would draw gray: its last layer starts at zero.
    floatsIn(state, "flow/average").forEach((value, i, all) => {
      all[i] = value + 0.1 * Math.sin(7 * i);
    });
    const position = { recipe: "flow", seed: 4, epoch: 0, step: 0, images: 0, ...image } as const;
    const bytes = await exportNetwork(design, { position, state }, "pictures", onCpu);
    const file = join(cwd, "flow.onnx");
    await writeFile(file, bytes);
    await open();
    await drop(page, "flow.onnx", bytes);
    await page.getByText("flow, in the first epoch of pictures, seed 4").waitFor();
    await page.locator("#digit").selectOption("2");
    const expected = await sampled(file, "--seed", "7", "--count", "16", "--digits", "2");
    await expect.poll(async () => farthest((await sheet()).grey, expected.grey)).toBeLessThanOrEqual(2);
    expect(new Set(expected.grey).size).toBeGreaterThan(50);
  });

  test("says why of a file that is not a generator, and keeps the one it has", async () => {
    await open();
    const before = await sheet();
    const model = await readFile(shipped);
    const spoilt = Buffer.from(model);
    // The operator of the first node gets a name that there is not.
    spoilt.write("Gxmm", spoilt.indexOf("Gemm"));
    for (const [name, bytes, message] of [
      [
        "letter.txt",
        Buffer.from("hello, this is no model"),
        "letter.txt: is no model in ONNX form, or is damaged",
      ],
      ["empty.onnx", Buffer.alloc(0), "empty.onnx: is no model in ONNX form"],
      [
        "half.onnx",
        model.subarray(0, model.length / 2),
        "half.onnx: is no model in ONNX form, or is damaged",
      ],
      ["spoilt.onnx", spoilt, "spoilt.onnx: cannot be run ("],
    ] as const) {
      await drop(page, name, bytes);
      await page.locator("#problem").filter({ hasText: message }).waitFor();
    }
    // Chosen with a dialog instead.
    await page
      .locator("#file")
      .setInputFiles({ name: "x.onnx", mimeType: "image/png", buffer: Buffer.from([0x89, 80, 78, 71]) });
    await page.locator("#problem").filter({ hasText: "x.onnx: is a PNG picture, not a model" }).waitFor();
    expect(await sheet()).toEqual(before);
    await page.getByRole("button", { name: "New sheet" }).click();
    await shows(/seed (?!7\.)/);
    expect(await page.locator("#problem").textContent()).toBe("");
    // What ONNX Runtime prints of a model that it refuses.
    seen = seen.filter((line) => !/Gxmm/.test(line));
  });

  test("says what cannot be where it can be seen: a link to a dropped file, a seed, a file", async () => {
    await open(undefined, "?seed=7&count=16&model=mine.onnx");
    const problem = (text: string) => page.locator("#problem").filter({ hasText: text }).waitFor();
    await problem("mine.onnx: is not here; drop its file here");
    await page.locator("#seed").fill("-4");
    await page.locator("#seed").press("Enter");
    await problem("Seed -4: is not accepted; write a whole number");
    await shows(/seed 7\./);
    await drop(page, "letter.txt", Buffer.from("hello"));
    await problem("letter.txt: is no model in ONNX form");
    await expect.poll(async () => (await page.locator("#problem").boundingBox())?.y).toBeLessThan(800);
    await page.locator("#model").selectOption("dcgan.onnx");
    await expect.poll(() => page.locator("#digit").isVisible()).toBe(false);
    await page.goBack();
    await expect.poll(() => page.locator("#model").inputValue()).toBe("generator.onnx");
    await expect.poll(() => page.locator("#digit").isVisible()).toBe(true);
  });

  test("draws with the model that was chosen last, whichever comes first", async () => {
    // A service worker would answer in place of the route.
    await open(undefined, "?seed=7&count=16&model=conditional.onnx", { serviceWorkers: "block" });
    const held: (() => Promise<void>)[] = [];
    await page.route("**/models/dcgan.onnx", (route) => void held.push(() => route.continue()));
    /** Choose the model whose file does not come yet. */
    const chooseLate = async () => {
      const asked = page.waitForRequest("**/models/dcgan.onnx");
      await page.locator("#model").selectOption("dcgan.onnx");
      await asked;
    };
    /** Let its file come, and wait until the page has drawn something that was asked for after that. */
    const letCome = async (seed: number) => {
      await expect.poll(() => held.length).toBe(1);
      const [came] = await Promise.all([page.waitForResponse("**/models/dcgan.onnx"), held.pop()?.()]);
      await came.finished();
      await choose(seed);
    };
    const choose = async (seed: number) => {
      await page.locator("#seed").fill(String(seed));
      await page.locator("#seed").press("Enter");
      await shows(new RegExp(`seed ${seed}\\.`));
    };
    await chooseLate();
    await page.locator("#model").selectOption("conditional.onnx");
    await letCome(8);
    expect(await page.locator("#model").inputValue()).toBe("conditional.onnx");
    await choose(9);
    await chooseLate();
    await page.goBack();
    await letCome(10);
    expect(await page.locator("#model").inputValue()).toBe("conditional.onnx");
    expect(await page.locator("#digit").isVisible()).toBe(true);
    expect(new URL(page.url()).searchParams.get("model")).toBe("conditional.onnx");
  });

  test("keeps what is typed while a model comes", async () => {
    await open(undefined, undefined, { serviceWorkers: "block" });
    let letCome = () => {};
    await page.route("**/models/conditional.onnx", async (route) => {
      await new Promise<void>((resolve) => {
        letCome = resolve;
      });
      await route.continue();
    });
    const asked = page.waitForRequest("**/models/conditional.onnx");
    await page.locator("#model").selectOption("conditional.onnx");
    await asked;
    await page.locator("#seed").fill("8");
    letCome();
    // A choice of classes comes with this model.
    await page.locator("#digit").waitFor();
    await page.locator("#seed").press("Enter");
    await shows(/seed 8\./);
  });

  test("is no wider for a long name", async () => {
    await open(undefined, undefined, { viewport: { width: 390, height: 850 } });
    const name = `${"a generator with a name that has no end ".repeat(4)}.onnx`;
    await drop(page, name, await otherModel());
    await expect.poll(() => page.locator("#model").inputValue()).toBe(name);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  });

  test.each([
    ["**/assets/sampling-worker*", "#problem", "the worker failed"],
    ["**/models/generator.onnx", "#problem", "Failed to fetch"],
    ["**/assets/training-view*", "#train-problem", "Training cannot be loaded"],
  ])("says so when %s does not come", async (file, place, message) => {
    const { url } = places["gan-onnx serve"];
    page = await browser.newPage();
    await page.route(file, (route) => route.abort());
    await page.goto(url);
    await page.locator(place).filter({ hasText: message }).waitFor();
    if (place === "#problem") await page.getByText("There is not a generator to draw with.").waitFor();
  });

  test.each([
    [1280, "light", "dcgan"],
    [1280, "dark", "conditional"],
    [390, "light", "conditional"],
    [390, "dark", "dcgan"],
  ] as const)(
    "is sound at %i pixels, %s, with the %s: axe, width, nothing jumps",
    async (width, colorScheme, model) => {
      const query = `?seed=7&count=16&model=${model}.onnx`;
      await open(undefined, query, { viewport: { width, height: 850 }, colorScheme });
      expect(await page.locator("#digit").isVisible()).toBe(model === "conditional");
      await page.getByLabel("Direction 4").waitFor();
      expect(await faultsOf(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      expect(await layoutShiftOf(page)).toBeLessThan(0.01);
    },
  );

  test("is whole at 1024 pixels, in forced colours, from right to left, on a phone, and printed", async () => {
    await open(undefined, "?seed=7&count=16", { viewport: { width: 1024, height: 850 } });
    const box = async (selector: string) => (await page.locator(selector).boundingBox())!;
    // No hole above the sheet.
    const controls = await box("#new");
    expect((await box("#sheet")).y - (controls.y + controls.height)).toBeLessThan(40);
    await cell(0).click();
    await cell(1).click();
    const style = (selector: string, name: "outlineStyle" | "appearance" | "display") =>
      page.locator(selector).evaluate((element, name) => getComputedStyle(element)[name], name);
    await page.emulateMedia({ forcedColors: "active" });
    expect([await style("#cells .from", "outlineStyle"), await style("#cells .to", "outlineStyle")]).toEqual([
      "solid",
      "dashed",
    ]);
    expect(await style("#position", "appearance")).toBe("auto");
    expect(await style("#real-meter", "outlineStyle")).toBe("solid");
    await page.emulateMedia({ forcedColors: "none" });
    // The canvas is not mirrored, so its cells must not be.
    await page.evaluate(() => Object.assign(document.documentElement, { dir: "rtl" }));
    expect((await box("#cells button:nth-child(1)")).x).toBeLessThan(
      (await box("#cells button:nth-child(2)")).x,
    );
    await page.evaluate(() => Object.assign(document.documentElement, { dir: "ltr" }));
    // The walk that two choices begin is not below the fold.
    await page.setViewportSize({ width: 390, height: 700 });
    await cell(2).click();
    await cell(3).click();
    await expect.poll(async () => (await box("#walk-view")).y).toBeLessThan(600);
    await page.emulateMedia({ media: "print" });
    for (const hidden of ["#train", "#new", "#position"]) expect(await style(hidden, "display")).toBe("none");
    expect(await page.locator("#sheet canvas").isVisible()).toBe(true);
  });

  test("opens with the model that serve was given", async () => {
    const file = join(cwd, "given by me.onnx");
    await writeFile(file, await otherModel());
    places.offering = await served("--model", file);
    await open("offering", "?seed=7&count=16");
    expect(await page.locator("#model").inputValue()).toBe("given by me.onnx");
    expect((await sheet()).width).toBe(4 * 14 + 2);
  });
});
