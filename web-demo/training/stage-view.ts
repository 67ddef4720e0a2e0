import { paintSheet } from "../../src/data/sheet.js";
import type { ImageShape } from "../../src/recipes/index.js";
import { drawPicture } from "../sampling/sheet-view.js";
import { contextOf, find } from "../ui/dom.js";
import { type Scene, SHOWN, type Tiles } from "./scene.js";

/** The number of pictures in a row of generated and real images. */
const COLUMNS = 8;
/** The maximum number of stored moments. Beyond it, every second one is dropped. */
const MOST = 200;
/** The number of pixels of the frame layer per pixel of a picture. */
const FINE = 3;

const made = find("#made", HTMLCanvasElement);
const real = find("#real", HTMLCanvasElement);
const rebuilt = find("#rebuilt", HTMLCanvasElement);
const slider = find("#moment", HTMLInputElement);
const label = find("#moment-name", HTMLElement);
const judge = find("#judge", HTMLElement);
const rebuiltPart = find("#rebuilt-part", HTMLElement);
const legend = find("#legend", HTMLElement);
const realPart = find("#real-part", HTMLElement);
const notes = {
  generator: find("#note-generator", HTMLElement),
  classifier: find("#note-classifier", HTMLElement),
  discriminator: find("#note-discriminator", HTMLElement),
  duel: find("#note-duel", HTMLElement),
  loss: find("#note-loss", HTMLElement),
};

interface Moment {
  readonly step: number;
  readonly scene: Scene;
}

let moments: Moment[] = [];

/** Show a new scene. Earlier moments are kept, and a selected earlier moment stays selected. */
export function showScene(step: number, scene: Scene): void {
  const following = Number(slider.value) >= moments.length - 1;
  const watched = moments[Number(slider.value)];
  // Drop moments after the checkpoint: after a resume they are made again.
  moments = [...moments.filter((moment) => moment.step < step), { step, scene }];
  if (moments.length > MOST) moments = moments.filter((_, i) => i % 2 === 0 || i === moments.length - 1);
  const last = moments.length - 1;
  slider.max = String(last);
  slider.disabled = last === 0;
  const at = following || !watched ? last : Math.max(0, moments.indexOf(watched));
  slider.value = String(at);
  if (following || !watched) show();
}

/** Show real pictures before there is a scene. */
export function showReal(image: ImageShape, images: Uint8Array<ArrayBuffer>): void {
  realPart.hidden = false;
  draw(real, image, { images });
}

/** Remove all moments. */
export function clearStage(): void {
  moments = [];
  [slider.max, slider.value] = ["0", "0"];
  slider.disabled = true;
  label.textContent = "";
  const layers = [made, real].map((canvas) => canvas.nextElementSibling as HTMLCanvasElement);
  for (const canvas of [made, real, rebuilt, ...layers]) {
    contextOf(canvas).clearRect(0, 0, canvas.width, canvas.height);
  }
  judge.hidden = legend.hidden = rebuiltPart.hidden = true;
}

/** All stored moments, the oldest first. */
export function momentsSoFar(): readonly Moment[] {
  return moments;
}

/** The generated images of a moment, as a picture. */
export function pictureOf({ scene }: Moment) {
  return sheetOf(scene.image, scene.made);
}

function show(): void {
  const moment = moments[Number(slider.value)];
  if (!moment) return;
  const { step, scene } = moment;
  const { opinions } = scene.made;
  const latest = moment === moments[moments.length - 1];
  label.textContent = `${step === 0 ? "before the first step" : `step ${step.toLocaleString("en")}`}${latest ? "" : " (earlier)"}`;
  slider.setAttribute("aria-valuetext", label.textContent);
  draw(made, scene.image, scene.made);
  const classifies = scene.real === undefined;
  if (scene.real) draw(real, scene.image, scene.real);
  realPart.hidden = notes.generator.hidden = classifies;
  notes.classifier.hidden = !classifies;
  rebuiltPart.hidden = !scene.rebuilt;
  if (scene.rebuilt) draw(rebuilt, scene.image, scene.rebuilt);
  judge.hidden = legend.hidden = notes.discriminator.hidden = notes.duel.hidden = !opinions;
  notes.loss.hidden = opinions !== undefined;
  find("#duel-title", HTMLElement).textContent = opinions ? "The duel" : "How it goes";
  const shares = [meanOf(scene.real), meanOf(scene.made)];
  setMeter("real", shares[0]);
  setMeter("made", shares[1]);
  const taken = opinions ? `; the discriminator takes ${percent(shares[1])} of it for real` : "";
  const what = classifies ? "What the classifier says" : "What the generator makes";
  find("#made-title", HTMLElement).textContent = what;
  made.ariaLabel = `${what} at step ${step}${taken}`;
}

const percent = (share: number) => `${Math.round(100 * share)}%`;

function meanOf({ opinions }: Partial<Tiles> = {}): number {
  return opinions ? opinions.reduce((sum, value) => sum + value, 0) / opinions.length : 0;
}

function setMeter(name: "real" | "made", share: number): void {
  find(`#${name}-meter`, HTMLMeterElement).value = share;
  find(`#${name}-share`, HTMLElement).textContent = percent(share);
}

function sheetOf(image: ImageShape, { images }: Tiles) {
  return paintSheet(images, { count: SHOWN, ...image }, { range: [0, 255], columns: COLUMNS });
}

/** Draw pictures, and on a separate layer a frame around each that shows the discriminator's opinion. */
function draw(canvas: HTMLCanvasElement, image: ImageShape, tiles: Tiles): void {
  const picture = sheetOf(image, tiles);
  drawPicture(canvas, picture);
  const stack = canvas.parentElement as HTMLElement;
  stack.style.aspectRatio = `${picture.width} / ${picture.height}`;
  stack.classList.toggle("colour", image.channels > 1);
  const layer = canvas.nextElementSibling;
  if (layer instanceof HTMLCanvasElement) drawFrames(layer, image, tiles, picture);
}

function drawFrames(
  layer: HTMLCanvasElement,
  image: ImageShape,
  { opinions }: Tiles,
  { width, height }: { width: number; height: number },
): void {
  [layer.width, layer.height] = [FINE * width, FINE * height];
  const context = contextOf(layer);
  if (!opinions) return;
  const style = getComputedStyle(layer);
  const [blue, orange] = [style.getPropertyValue("--real"), style.getPropertyValue("--fake")];
  context.lineWidth = 1.4 * FINE;
  for (const [i, opinion] of opinions.entries()) {
    const left = FINE * (1 + (i % COLUMNS) * (image.width + 2));
    const top = FINE * (1 + Math.floor(i / COLUMNS) * (image.height + 2));
    context.strokeStyle = opinion >= 0.5 ? blue : orange;
    // Draw uncertain opinions with less opacity.
    context.globalAlpha = 0.15 + 0.85 * Math.min(1, Math.abs(2 * opinion - 1));
    context.strokeRect(left, top, FINE * image.width, FINE * image.height);
  }
}

slider.addEventListener("input", show);
for (const canvas of [made, real]) {
  const layer = canvas.nextElementSibling as HTMLCanvasElement;
  layer.addEventListener("pointermove", ({ offsetX, offsetY }) => {
    const scene = moments[Number(slider.value)]?.scene;
    const opinions = (canvas === made ? scene?.made : scene?.real)?.opinions;
    const column = Math.floor((COLUMNS * offsetX) / layer.clientWidth);
    const row = Math.floor((COLUMNS * offsetY) / layer.clientHeight);
    const opinion = opinions?.[row * COLUMNS + column];
    layer.title = opinion === undefined ? "" : `The discriminator: ${percent(opinion)} real`;
  });
}
