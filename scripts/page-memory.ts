/**
 * `npx tsx scripts/page-memory.ts [MINUTES] [PRESET]`: the memory of the built page while it trains, each minute: what the
 * page and its workers use (JavaScript and WebAssembly, by performance.measureUserAgentSpecificMemory(), which collects
 * garbage first), and the resident memory of its process. Fails when the last third has 5% more than the third before it.
 */
import { openBuiltPage, startLearning, stepOf } from "./built-page.js";

const [minutes = "30", preset] = process.argv.slice(2);

const { page, residentMemory, close } = await openBuiltPage({ viewport: { width: 1280, height: 900 } });
const used: number[] = [];
try {
  await startLearning(page, preset);
  await page.locator("#train-progress", { hasText: /step \d/ }).waitFor();
  console.log("| minute | step | page and workers (MiB) | process (MiB) |\n|---:|---:|---:|---:|");
  const began = performance.now();
  for (let minute = 0; minute <= Number(minutes); minute++) {
    await page.waitForTimeout(Math.max(0, began + 60_000 * minute - performance.now()));
    const bytes = (await page.evaluate(
      "performance.measureUserAgentSpecificMemory().then(({ bytes }) => bytes)",
    )) as number;
    used.push(bytes / 2 ** 20);
    const row = [minute, await stepOf(page), (bytes / 2 ** 20).toFixed(1), residentMemory().toFixed(0)];
    console.log(`| ${row.join(" | ")} |`);
  }
} finally {
  await close();
}
const third = Math.floor(used.length / 3);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const growth = mean(used.slice(-third)) / mean(used.slice(-2 * third, -third)) - 1;
console.log(`the last third has ${(100 * growth).toFixed(1)}% more than the one before`);
if (growth > 0.05) process.exitCode = 1;
