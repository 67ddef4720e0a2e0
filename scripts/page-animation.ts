/**
 * `npx tsx scripts/page-animation.ts [STEPS] [PRESET]`: docs/page-learning.png, an animation of the built page while it
 * learns. The frames are closer at the beginning, when most changes.
 */
import { writeFileSync } from "node:fs";
import { animatedPng } from "../src/data/apng.js";
import { openBuiltPage, startLearning } from "./built-page.js";

const [steps = "400", preset] = process.argv.slice(2);
const [FRAMES, EACH, LAST, WIDTH] = [24, 300, 3000, 720];
const FILE = "docs/page-learning.png";

const { page, close } = await openBuiltPage({
  viewport: { width: WIDTH, height: 900 },
  colorScheme: "light",
});
try {
  await page.mouse.move(100, 100);
  await startLearning(page, preset);
  await page.locator("#train-progress", { hasText: /step \d/ }).waitFor();
  // The explanations take more room than what changes.
  await page.evaluate(`for (const note of document.querySelectorAll("details.note")) note.remove()`);
  const frames: { png: Uint8Array; milliseconds: number }[] = [];
  for (let i = 0; i < FRAMES; i++) {
    const due = Number(steps) * (i / (FRAMES - 1)) ** 2;
    const reached = `Number(/^step (\\d+)/.exec(document.querySelector("#train-progress").textContent)?.[1] ?? 0)`;
    await page.waitForFunction(`${reached} >= ${due}`, undefined, { timeout: 0 });
    const png = await page.locator(".stage").screenshot({ animations: "disabled" });
    frames.push({ png, milliseconds: i === FRAMES - 1 ? LAST : EACH });
    console.log(await page.locator("#train-progress").textContent());
  }
  // The page may grow by a line at the beginning. A PNG has its size at bytes 16 to 24.
  const sizeOf = ({ png }: { png: Uint8Array }) => Buffer.from(png.subarray(16, 24)).toString("hex");
  const last = sizeOf(frames[frames.length - 1]);
  const bytes = animatedPng(frames.filter((frame) => sizeOf(frame) === last));
  writeFileSync(FILE, bytes);
  console.log(`${FILE}: ${Math.round(bytes.length / 1000)} kB`);
} finally {
  await close();
}
