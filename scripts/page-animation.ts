/**
 * `npx tsx scripts/page-animation.ts [STEPS] [PRESET]`: docs/page-learning.png, an animation of the built page while it
 * learns. The frames are closer at the beginning, when most changes.
 */
import { writeFileSync } from "node:fs";
import { Jimp } from "jimp";
import { animatedPng } from "../src/data/apng.js";
import { encodePng } from "../src/data/png.node.js";
import { openBuiltPage, startLearning, stepOf } from "./built-page.js";

const [steps = "300", preset] = process.argv.slice(2);
const [FRAMES, EACH, LAST, WIDTH, SHADES] = [20, 350, 3000, 720, 16];
const FILE = "docs/page-learning.png";

const { page, close } = await openBuiltPage({
  viewport: { width: WIDTH, height: 900 },
  colorScheme: "light",
});
try {
  await page.mouse.move(100, 100);
  await startLearning(page, preset);
  await page.locator("#train-progress", { hasText: /step \d/ }).waitFor();
  // Explanations and curves take more room than the pictures.
  await page.evaluate(
    `for (const part of document.querySelectorAll(".note, .duel, #rebuilt-part")) part.style.display = "none"`,
  );
  const frames: { png: Uint8Array; milliseconds: number }[] = [];
  for (let i = 0; i < FRAMES; i++) {
    const due = Number(steps) * (i / (FRAMES - 1)) ** 2;
    while ((await stepOf(page)) < due) await page.waitForTimeout(50);
    const png = await page.locator(".stage").screenshot({ animations: "disabled" });
    frames.push({ png: await inGrey(png), milliseconds: i === FRAMES - 1 ? LAST : EACH });
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

/** A picture in a few shades of grey, which compress well. */
async function inGrey(png: Uint8Array): Promise<Uint8Array> {
  const { width, height, data } = (await Jimp.fromBuffer(Buffer.from(png))).bitmap;
  const shades = data.map((value) =>
    Math.round(Math.round((value / 255) * (SHADES - 1)) * (255 / (SHADES - 1))),
  );
  return encodePng({ width, height, channels: 1, data: new Uint8ClampedArray(shades) });
}
