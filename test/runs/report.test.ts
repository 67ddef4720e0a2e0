import { existsSync, readdirSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listRuns } from "../../src/runs/list.js";
import { readReport } from "../../src/runs/report-data.js";
import { comparisonPage, reportPage } from "../../src/runs/report-page.js";
import { temporaryFolder } from "../data/files.js";

async function runIn(folder: string, name: string, epochs = 2): Promise<string> {
  const run = join(folder, name);
  await mkdir(join(run, "img"), { recursive: true });
  const settings = { recipe: "vanilla", data: "<b>&", epochs: 2, seed: 7 };
  await writeFile(join(run, "config.json"), JSON.stringify(settings));
  const lines = Array.from({ length: 1000 * epochs }, (_, i) => ({
    epoch: Math.floor(i / 1000) + 1,
    iteration: (i % 1000) + 1,
    d_loss: i,
  }));
  await writeFile(
    join(run, "metrics.jsonl"),
    `${lines.map((line) => JSON.stringify(line)).join("\n")}\n{"epoch":3,"iter`,
  );
  const scores = { epoch: 2, scores: { distance: 12.5 }, classes: [0.25, 0.75], warnings: ["<i>look</i>"] };
  await writeFile(join(run, "scores.jsonl"), `${JSON.stringify(scores)}\n`);
  for (let epoch = 1; epoch <= epochs; epoch++)
    await writeFile(join(run, "img", `fake_images-${epoch}.png`), "png");
  return run;
}

test("a report reads what a run has left: curves of few points that keep the mean, sheets, scores, classes", async () => {
  const report = await readReport(await runIn(await temporaryFolder(), "a"));
  const [curve] = report.metrics;
  expect(curve.points.length).toBeLessThanOrEqual(400);
  expect(curve.points.at(-1)![0]).toBe(2);
  const mean = curve.points.reduce((sum, [, value]) => sum + value, 0) / curve.points.length;
  expect(mean).toBeCloseTo(999.5, 6);
  expect(report.sheets.map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(report).toMatchObject({ classes: { epoch: 2, shares: [0.25, 0.75] }, warnings: ["<i>look</i>"] });
  expect(report.scores).toEqual([{ name: "distance", points: [[2, 12.5]] }]);
});

/** The open files of this process, where Linux tells. */
const openFiles = "/proc/self/fd";

test.skipIf(!existsSync(openFiles))(
  "a report of many sheets needs no more open files than one of few (skipped without /proc)",
  async () => {
    const run = await runIn(await temporaryFolder(), "long");
    const sheets = Array.from({ length: 100 }, (_, i) => join(run, "img", `fake_images-${i + 1}.png`));
    for (const sheet of sheets) await writeFile(sheet, "png");
    const handles = () => readdirSync(openFiles).length;
    const before = handles();
    let [most, over] = [before, false];
    const reading = readReport(run).finally(() => {
      over = true;
    });
    while (!over) {
      most = Math.max(most, handles());
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await reading).sheets).toHaveLength(100);
    expect(most - before).toBeLessThan(10);
  },
);

test("pages load nothing from elsewhere, and show text of a run as text", async () => {
  const folder = await temporaryFolder();
  const reports = await Promise.all(
    [runIn(folder, "a"), runIn(folder, "b")].map(async (run) => readReport(await run)),
  );
  const pages = [reportPage(reports[0], ["do <b>this"]), comparisonPage(reports, [["run"], ["<b>x</b>"]])];
  for (const page of pages) {
    expect(page).not.toMatch(/(src|href)="(?!data:)/);
    expect(page).not.toMatch(/<b>|<s>|<i>/);
    expect(page).toContain("<polyline");
  }
  expect(pages[0]).toContain("12.5 (epoch 2)");
});

test("runs are listed with epochs, state and last scores", async () => {
  const folder = await temporaryFolder();
  await runIn(folder, "half", 1);
  await runIn(folder, "whole");
  const rows = await listRuns(folder);
  expect(rows.find(({ run }) => run.endsWith("half"))).toMatchObject({
    epoch: 1,
    epochs: 2,
    state: "stopped",
  });
  // Steps of an epoch that is not complete do not count.
  await rm(join(folder, "half", "img", "fake_images-1.png"));
  const [begun] = (await listRuns(folder)).filter(({ run }) => run.endsWith("half"));
  expect(begun).toMatchObject({ epoch: 0, state: "stopped" });
  expect(rows.find(({ run }) => run.endsWith("whole"))).toMatchObject({
    epoch: 2,
    state: "complete",
    scores: { distance: 12.5 },
  });
  await expect(listRuns(join(folder, "none"))).rejects.toThrow("is no folder");
});
