import type { News } from "../../src/serving/run-view.js";
import { contextOf, find, latestOnly } from "../ui/dom.js";

const slider = find("#epoch", HTMLInputElement);
const label = find("#epoch-name", HTMLElement);
const fake = find("#fake", HTMLCanvasElement);
const real = find("#real", HTMLCanvasElement);
const playButton = find("#play", HTMLButtonElement);
const besideButton = find("#beside", HTMLButtonElement);
/** The maximum height of a sheet, in CSS pixels: twice the height of an MNIST sheet. */
const HEIGHT = 484;
/** The duration of a film of all sheets, and the maximum duration of one sheet, in milliseconds. */
const [FILM, FRAME] = [6000, 250];

/** The texts before the first sheet. */
const before = { label: label.textContent, fake: fake.ariaLabel };

type Sheet = News["sheets"][number];
let base = "";
let sheets: readonly Sheet[] = [];
let realChanged: number | undefined;
/** Whether the sheets are wider than high, as with reconstructions. */
let oblong = false;
let playing: ReturnType<typeof setInterval> | undefined;

/**
 * Show the sheets of a run as they are now: the newest one, or the one that was chosen.
 *
 * @param from the beginning of its addresses.
 */
export function showSheets(news: News, from: string): void {
  base = from;
  const newest = Number(slider.value) >= sheets.length - 1;
  const epoch = sheets[Number(slider.value)]?.[0] ?? 0;
  sheets = news.sheets;
  const last = Math.max(0, sheets.length - 1);
  slider.max = String(last);
  slider.disabled = sheets.length === 0;
  playButton.disabled = sheets.length < 2;
  const chosen = sheets.findIndex((sheet) => sheet[0] >= epoch);
  slider.value = String(newest || chosen < 0 ? last : chosen);
  realChanged = news.real;
  besideButton.disabled = realChanged === undefined;
  show();
}

/** The content of each canvas, to avoid drawing it again. */
const drawn = new Map<HTMLCanvasElement, string>();

/** Say and draw the chosen sheet. The words do not wait for the picture. */
function show(): void {
  const sheet = sheets[Number(slider.value)];
  if (sheet) {
    label.textContent = `epoch ${sheet[0]}`;
    slider.setAttribute("aria-valuetext", `epoch ${sheet[0]}`);
  } else label.textContent = before.label;
  drawSheets();
}

const drawSheets = latestOnly(async () => {
  const sheet = sheets[Number(slider.value)];
  if (sheet) {
    const [epoch, changed] = sheet;
    await draw(fake, `fake_images-${epoch}`, changed);
    fake.ariaLabel = `Sheet of generated images after epoch ${epoch}`;
  } else if (drawn.delete(fake)) {
    // The run was started again.
    fake.ariaLabel = before.fake;
    contextOf(fake).clearRect(0, 0, fake.width, fake.height);
  }
  if (realChanged !== undefined && !real.hidden) await draw(real, "real_images", realChanged);
});

/** Draw a picture of the run on a canvas. If the picture no longer exists, the canvas does not change. */
async function draw(canvas: HTMLCanvasElement, name: string, changed: number): Promise<void> {
  const url = `${base}run/img/${name}.png?${changed}`;
  if (drawn.get(canvas) === url) return;
  try {
    const bitmap = await createImageBitmap(await (await fetch(url)).blob());
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    const ratio = bitmap.width / bitmap.height;
    canvas.style.aspectRatio = String(ratio);
    canvas.style.maxWidth = `${HEIGHT * ratio}px`;
    if (canvas === fake) oblong = ratio > 1.5;
    widen();
    contextOf(canvas).drawImage(bitmap, 0, 0);
    document.body.classList.toggle("colour", hasColour(canvas));
    drawn.set(canvas, url);
  } catch {
    drawn.delete(canvas);
  }
}

/** Give the sheets the full width if they need it. */
function widen(): void {
  find("#view", HTMLElement).classList.toggle("wide", oblong || !real.hidden);
}

function hasColour(canvas: HTMLCanvasElement): boolean {
  const { data } = contextOf(canvas).getImageData(0, 0, canvas.width, canvas.height);
  return data.some((byte, i) => i % 4 === 0 && (byte !== data[i + 1] || byte !== data[i + 2]));
}

function stop(): void {
  clearInterval(playing);
  playing = undefined;
  playButton.textContent = "Play";
}

slider.addEventListener("input", () => {
  stop();
  show();
});

playButton.addEventListener("click", () => {
  if (playing !== undefined) return stop();
  if (Number(slider.value) >= sheets.length - 1) slider.value = "0";
  show();
  playButton.textContent = "Pause";
  playing = setInterval(
    () => {
      slider.value = String(Number(slider.value) + 1);
      show();
      if (Number(slider.value) >= sheets.length - 1) stop();
    },
    Math.min(FRAME, FILM / sheets.length),
  );
});

besideButton.addEventListener("click", () => {
  real.hidden = !real.hidden;
  besideButton.ariaPressed = String(!real.hidden);
  widen();
  show();
});
