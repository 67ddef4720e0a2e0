/**
 * `npx tsx bench/page/learning.ts [--seconds 60] [--look 3] [--only vae,vanilla]`: how soon a training in the built page
 * shows something, recipe by recipe, each in a fresh profile of the same Chromium: from the click to the first step,
 * until digits can be recognized, and from the click on Pause to its answer ("Paused", no step follows) and until it is
 * kept (the median of five). A digit is recognized when the judge is sure of its class (90%). Sheets of noise have few
 * such pictures.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { openBuiltPage, startLearning, stepOf } from "../../scripts/built-page.js";
import { mnistForm } from "../../src/data/dataset.js";
import { Judge } from "../../src/evaluation/judge.js";
import { opensOn } from "../../src/runtime/session.node.js";
import { PAUSED, PAUSED_AND_KEPT } from "../../web-demo/training/said.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    /** How long a visitor looks at the page before the click, in seconds; the page prepares meanwhile. */
    look: { type: "string", default: "3" },
    only: { type: "string", default: "vanilla,vae,vae-gan" },
    /** A folder for the sheets as PNG. */
    sheets: { type: "string" },
  },
});
const [COUNT, COLUMNS, SIZE, SURE, PAUSES] = [64, 8, 28, 0.9, 5];

const judge = await Judge.open(
  readFileSync("models/judge.onnx"),
  "models/judge.onnx",
  opensOn({ ep: "cpu", cpuNodes: true }),
);

/** The pictures of a sheet on the page, as it draws them: 8 in a row, 2 pixels apart. */
async function picturesOn(page: Page, selector: string): Promise<Uint8Array> {
  const grey = (await page.evaluate(`(() => {
    const canvas = document.querySelector("${selector}");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]);
  })()`)) as number[];
  const width = 2 + COLUMNS * (SIZE + 2);
  return Uint8Array.from({ length: COUNT * SIZE * SIZE }, (_, i) => {
    const [picture, pixel] = [Math.floor(i / SIZE ** 2), i % SIZE ** 2];
    const top = 2 + (SIZE + 2) * Math.floor(picture / COLUMNS) + Math.floor(pixel / SIZE);
    return grey[top * width + 2 + (SIZE + 2) * (picture % COLUMNS) + (pixel % SIZE)];
  });
}

/** The share of pictures whose class the judge is sure of, and the number of these classes. */
async function recognized(images: Uint8Array): Promise<{ share: number; classes: number }> {
  const { classes, probabilities } = await judge.classify({
    name: "the page",
    count: COUNT,
    ...mnistForm,
    images,
  });
  const sure = Array.from(classes).filter((each, i) => probabilities[i * 10 + each] >= SURE);
  return { share: sure.length / COUNT, classes: new Set(sure).size };
}

/** How long after a click on Pause the page says that it is paused, and that it is kept, in milliseconds. */
async function pause(page: Page): Promise<[number, number]> {
  return page.evaluate(`new Promise((resolve) => {
    const status = document.querySelector("#train-status");
    let paused;
    const observer = new MutationObserver(() => {
      const now = Math.round(performance.now() - clicked);
      if (status.textContent.startsWith("Paused")) paused ??= now;
      if (!${JSON.stringify([PAUSED, PAUSED_AND_KEPT])}.includes(status.textContent)) return;
      observer.disconnect();
      resolve([paused, now]);
    });
    observer.observe(status, { childList: true });
    const clicked = performance.now();
    document.querySelector("#start").click();
  })`);
}

for (const recipe of values.only.split(",")) {
  const { page, cpuSeconds, close } = await openBuiltPage({ viewport: { width: 1280, height: 900 } });
  try {
    // A visitor moves the pointer before the click, and the page prepares.
    await page.mouse.move(100, 100);
    await page.waitForTimeout(1000 * Number(values.look));
    const clicked = await startLearning(page, recipe);
    const cpu = cpuSeconds();
    await page.locator("#train-progress", { hasText: /^step \d/ }).waitFor();
    console.log(`${recipe}: first step after ${Math.round(performance.now() - clicked)} ms`);
    let before = "";
    while (performance.now() - clicked < 1000 * Number(values.seconds)) {
      await page.waitForTimeout(1000);
      const moment = (await page.locator("#moment-name").textContent()) ?? "";
      if (moment === before) continue;
      before = moment;
      const [seconds, used] = [(performance.now() - clicked) / 1000, cpuSeconds() - cpu];
      const { share, classes } = await recognized(await picturesOn(page, "#made"));
      console.log(
        `${recipe}: ${seconds.toFixed(1)} s (${used.toFixed(1)} s of processor): ${moment}: ${Math.round(100 * share)}% recognized, ${classes} classes`,
      );
      if (values.sheets) {
        mkdirSync(values.sheets, { recursive: true });
        const name = `${values.sheets}/${recipe}-${String(Math.round(seconds)).padStart(3, "0")}.png`;
        writeFileSync(name, await page.locator("#made").screenshot());
      }
    }
    const real = await recognized(await picturesOn(page, "#real"));
    console.log(`${recipe}: of the real ones: ${Math.round(100 * real.share)}%`);
    const steps = await stepOf(page);
    const used = (cpuSeconds() - cpu) / steps;
    const pauses: (readonly [number, number])[] = [];
    for (let i = 0; i < PAUSES; i++) {
      pauses.push(await pause(page));
      await page.locator("#start").click();
      await page.locator("#train-status", { hasText: "Training." }).waitFor();
      // A pause comes at any moment of a call, and of the scenes, which are 700 ms apart.
      await page.waitForTimeout(2000 + 150 * i);
    }
    const [answered, kept] = [0, 1].map((i) => pauses.map((times) => times[i]).toSorted((a, b) => a - b));
    console.log(
      `${recipe}: ${steps} steps, ${Math.round(1000 * used)} ms of processor each; pause after ${answered[PAUSES >> 1]} ms (at most ${answered[PAUSES - 1]}), kept after ${kept[PAUSES >> 1]} ms`,
    );
  } finally {
    await close();
  }
}
await judge.close();
