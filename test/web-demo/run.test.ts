import { appendFile, mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { encodePng } from "../../src/data/png.node.js";
import { paintSheet } from "../../src/data/sheet.js";
import { appendMetrics } from "../../src/runs/run-folder.js";
import { servePage } from "../../src/serving/page-server.js";
import type { News } from "../../src/serving/run-view.js";
import type { MetricsLine } from "../../src/training/training.js";
import { type Running, startCli } from "../helpers/cli.js";
import { someBytes } from "../helpers/dataset.js";
import { trainingPlace } from "../helpers/runs.js";
import {
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

const { cwd, train, remove } = await trainingPlace();

/** Steps as a training would record them, from the one after `made` on, 100 an epoch. */
function steps(count: number, made = 0): MetricsLine[] {
  return Array.from({ length: count }, (_, i) => {
    const step = made + i;
    const metrics = { d_loss: 1 + Math.sin(step), real_score: 0.75, fake_score: 0.25, g_loss: 2 };
    return { epoch: Math.floor(step / 100) + 1, step: (step % 100) + 1, metrics };
  });
}

/** A run of 6 epochs with steps and sheets, written by hand. */
async function writeRun(name: string, { made, sheets }: { made: number; sheets: readonly number[] }) {
  const folder = join(cwd, name);
  await mkdir(join(folder, "img"), { recursive: true });
  const settings = {
    recipe: "vanilla",
    data: "/some/where/digits",
    ep: "cpu",
    epochs: 6,
    batchSize: 32,
    seed: 3,
  };
  await writeFile(
    join(folder, "config.json"),
    JSON.stringify({ ...settings, learningRate: 1e-4, loss: "hinge" }),
  );
  await appendMetrics(join(folder, "metrics.jsonl"), steps(made));
  for (const epoch of sheets)
    await writeFile(join(folder, "img", `fake_images-${epoch}.png`), await sheet(epoch));
  await writeFile(join(folder, "img", "real_images.png"), await sheet(0));
  await writeFile(join(folder, "run-1.lock"), "");
  return folder;
}

/** A sheet of 64 digits as large as MNIST's, its first pixel as bright as its number. */
async function sheet(number: number): Promise<Uint8Array> {
  const bytes = someBytes(64 * 28 * 28);
  bytes[0] = number;
  return encodePng(paintSheet(bytes, { count: 64, channels: 1, height: 28, width: 28 }, { range: [0, 255] }));
}

describe.skipIf(!executablePath)(`a run in ${executablePath ?? "chromium, which is not here"}`, () => {
  let browser: Browser;
  let page: Page;
  let place: Place;
  let seen: string[] = [];
  /** The answers to the page's questions. */
  let answers: (News | null)[] = [];
  let training: Running | undefined;

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await remove();
  });
  afterEach(async () => {
    training?.kill("SIGKILL");
    await training?.finished;
    await page.context().close();
    await place.close();
    expect(seen).toEqual([]);
  });

  async function open(at: Promise<Place>, options: BrowserContextOptions = {}): Promise<void> {
    place = await at;
    page = await browser.newPage(options);
    page.setDefaultTimeout(30_000);
    const { origin } = new URL(place.url);
    seen = watch(page, origin);
    answers = [];
    page.on("response", async (response) => {
      // The page may be closed before an answer is read.
      if (response.url().includes("run.json"))
        await response.json().then(
          (answer) => answers.push(answer),
          () => {},
        );
    });
    await page.goto(new URL("run.html", place.url).href);
  }
  const says = (text: string | RegExp) => page.getByRole("status").filter({ hasText: text }).waitFor();
  const shows = (text: string | RegExp) => page.locator("#position").filter({ hasText: text }).waitFor();
  const curvesAt = async () =>
    Number(
      (await page.locator(".curves-panel").first().getAttribute("aria-label"))
        ?.match(/step ([\d,]+)/)?.[1]
        .replaceAll(",", "") ?? 0,
    );
  const slider = () => page.getByLabel("Epoch", { exact: true });
  const epochShown = async () =>
    Number((await page.locator("#fake").getAttribute("aria-label"))?.match(/epoch (\d+)$/)?.[1] ?? 0);
  /** The first pixel of the first image on a sheet. */
  const first = async (selector: string) => {
    const { grey, width } = await pixelsOn(page, selector);
    return grey[2 * width + 2];
  };

  test("is shown while it trains: from before its first step to its end, over a stop and a resume", async () => {
    await mkdir(join(cwd, "live"));
    await open(served("--run", join(cwd, "live")));
    await says("Waiting for the first steps.");
    training = startCli(train("live", 10_000), { cwd });
    await says("Training.");
    await expect.poll(epochShown).toBeGreaterThan(1);
    await page.getByText("vanilla on data · 10000 epochs · batch 2 ·").waitFor();
    const [before, epoch, pixels] = [await curvesAt(), await epochShown(), await pixelsOn(page, "#fake")];
    expect(before).toBeGreaterThan(0);
    await expect.poll(epochShown).toBeGreaterThan(epoch);
    await expect.poll(curvesAt).toBeGreaterThan(before);
    await expect.poll(() => pixelsOn(page, "#fake")).not.toEqual(pixels);
    // An older sheet stays when it is asked for, while newer ones come.
    await slider().press("Home");
    await expect.poll(epochShown).toBe(1);
    const newest = Number(await slider().getAttribute("max"));
    await expect.poll(async () => Number(await slider().getAttribute("max"))).toBeGreaterThan(newest);
    expect(await epochShown()).toBe(1);
    await slider().press("End");
    await expect.poll(epochShown).toBeGreaterThan(newest);

    training.kill("SIGINT");
    await training.finished;
    await says("Stopped.");
    const stopped = await readFile(join(cwd, "live", "metrics.jsonl"), "utf8");
    const { epoch: reached } = JSON.parse(stopped.trim().split("\n").at(-1)!);
    // Steps after the checkpoint, the last cut off, as a killed process leaves them: the resume drops them.
    await appendMetrics(
      join(cwd, "live", "metrics.jsonl"),
      steps(500).map((line) => ({ ...line, epoch: reached + 5 })),
    );
    await appendFile(join(cwd, "live", "metrics.jsonl"), '{"epoch":90,"iter');
    await expect.poll(curvesAt).toBe(stopped.trim().split("\n").length + 500);
    const end = reached + 1;
    await startCli(["train", "--resume", "--out", "live", "--epochs", String(end)], { cwd }).finished;
    await says("Complete.");
    await shows(`epoch ${end} of ${end} · iteration 226 of 226`);
    expect(await curvesAt()).toBe(end * 226);
    await expect.poll(epochShown).toBe(end);
    expect(await page.title()).toBe(`${end}/${end} · live · gan-onnx`);
  });

  test("stands still, goes on, and may be gone: each is said once", async () => {
    const folder = await writeRun("still", { made: 250, sheets: [1, 2] });
    const metrics = join(folder, "metrics.jsonl");
    const ago = Date.now() / 1000 - 3 * 3600;
    await utimes(metrics, ago, ago);
    await open(servePage(0, { run: folder }));
    await says("No new steps for more than two minutes.");
    await shows("epoch 3 of 6 · iteration 50 of 100 · last step 3 h 0 min ago");
    await page.evaluate(() => {
      const changes: string[] = [];
      const status = document.querySelector("#state")!;
      new MutationObserver(() => changes.push(status.textContent ?? "")).observe(status, { childList: true });
      Object.assign(globalThis, { changes });
    });
    await appendMetrics(metrics, steps(10, 250));
    await says("Training.");
    await shows("epoch 3 of 6 · iteration 60 of 100");
    expect(await curvesAt()).toBe(260);
    await rename(folder, `${folder} away`);
    await says("The folder of the run is gone.");
    await expect.poll(() => first("#fake")).toBe(2);
    await rename(`${folder} away`, folder);
    await says("Training.");
    await rm(folder, { recursive: true });
    await says("The folder of the run is gone.");
    const changes = await page.evaluate(() => (globalThis as unknown as { changes: string[] }).changes);
    expect(changes).toEqual([
      "Training.",
      "The folder of the run is gone.",
      "Training.",
      "The folder of the run is gone.",
    ]);
    expect(seen).toEqual([]);
    await place.close();
    await says("No answer from gan-onnx serve.");
    seen = seen.filter((line) => !/ERR_CONNECTION_REFUSED|^failed: .*run\.json/.test(line));
  });

  test("that is begun anew shows nothing of what was there", async () => {
    const folder = await writeRun("anew", { made: 250, sheets: [1, 2] });
    const scores = [7.5, 3.25].map((distance, i) => ({
      epoch: i + 1,
      scores: { distance },
      classes: [0.25, 0.75],
    }));
    const lines = scores.map((line) => `${JSON.stringify(line)}\n`).join("");
    await writeFile(join(folder, "scores.jsonl"), lines);
    await open(servePage(0, { run: folder }));
    await shows("epoch 3 of 6");
    await page.getByRole("img", { name: "distance, epochs 1 to 2" }).waitFor();
    expect(await page.locator("#score-curves").textContent()).toBe("distance 3.25 from 3.25 to 7.5");
    expect(await page.locator("#classes li").allTextContents()).toEqual(["25%0", "75%1"]);
    await expect.poll(() => first("#fake")).toBe(2);
    for (const name of ["config.json", "metrics.jsonl", "scores.jsonl", "img"])
      await rm(join(folder, name), { recursive: true });
    await says("Waiting for the first steps.");
    await page.getByText("The first sheet comes after the first epoch.").waitFor();
    expect(await page.locator("#scores").isVisible()).toBe(false);
    expect(await page.locator("#position").textContent()).toBe("");
    expect(await page.locator("#settings").textContent()).toBe("");
    expect(await curvesAt()).toBe(0);
    await expect.poll(async () => Math.max(...(await pixelsOn(page, "#fake")).grey)).toBe(0);
  });

  test("has a slider through the sheets that there are, and the real images beside them", async () => {
    const folder = await writeRun("sheets", { made: 600, sheets: [1, 2, 4, 6] });
    await open(servePage(0, { run: folder }));
    await says("Complete.");
    await expect.poll(() => first("#fake")).toBe(6);
    await slider().press("ArrowLeft");
    await expect.poll(() => first("#fake")).toBe(4);
    expect(await slider().getAttribute("aria-valuetext")).toBe("epoch 4");
    await page.getByRole("button", { name: "Play" }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await page.getByRole("button", { name: "Play" }).waitFor();
    await expect.poll(() => first("#fake")).toBe(6);
    expect(await page.getByRole("img", { name: "Real images" }).count()).toBe(0);
    await page.getByRole("button", { name: "Real images" }).click();
    await page.getByRole("img", { name: "Real images" }).waitFor();
    await expect.poll(() => first("#real")).toBe(0);
    // A sheet that is painted anew, and one that goes while it is shown.
    await writeFile(join(folder, "img", "fake_images-6.png"), await sheet(66));
    await expect.poll(() => first("#fake")).toBe(66);
    await rm(join(folder, "img", "fake_images-6.png"));
    await expect.poll(epochShown).toBe(4);
  });

  test("of 47,000 steps comes at once, and then only what is new of it", async () => {
    const folder = await writeRun("long", { made: 47_000, sheets: [] });
    await open(servePage(0, { run: folder }));
    await expect.poll(curvesAt).toBe(47_000);
    await appendMetrics(join(folder, "metrics.jsonl"), steps(64, 47_000));
    await expect.poll(curvesAt).toBe(47_064);
    // Every byte of the file once.
    const { size } = await stat(join(folder, "metrics.jsonl"));
    const transferred = () => answers.reduce((sum, news) => sum + (news?.metrics?.text.length ?? 0), 0);
    await expect.poll(transferred).toBe(size);
    // The pointer reads the curves.
    const plot = (await page.locator(".curves-plot").first().boundingBox())!;
    await page.mouse.move(plot.x + plot.width / 2, plot.y + 20);
    await expect
      .poll(async () =>
        Number((await page.locator(".curves-pointed").first().textContent())?.replace(",", "")),
      )
      .toBeCloseTo(23_532, -2);
  });

  test.each([
    ["a static host", () => plainHost()],
    ["gan-onnx serve without one", () => servePage(0)],
  ])("behind %s is none, quietly", async (_, host) => {
    await open(host());
    await says("There is no run to show here.");
    expect(await page.locator("main").isVisible()).toBe(false);
    expect(answers).toHaveLength(1);
  });

  test.each([1280, 390])(
    "is sound at %i pixels, light and dark: axe, width, nothing jumps",
    async (width) => {
      const folder = await writeRun(`sound-${width}`, { made: 350, sheets: [1, 2, 3] });
      await open(servePage(0, { run: folder }), { viewport: { width, height: 850 } });
      await expect.poll(epochShown).toBe(3);
      await expect.poll(curvesAt).toBe(350);
      await appendMetrics(join(folder, "metrics.jsonl"), steps(64, 350));
      await expect.poll(curvesAt).toBe(414);
      expect(await layoutShiftOf(page)).toBeLessThan(0.01);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await faultsOf(page), colorScheme).toEqual([]);
      }
    },
  );
});
