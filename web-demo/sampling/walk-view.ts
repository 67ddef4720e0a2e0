import { type Picture, paintSheet } from "../../src/data/sheet.js";
import type { Generator } from "../../src/export/description.js";
import { addScaled } from "../../src/export/latent.js";
import { find, latestOnly } from "../ui/dom.js";
import { between, type Point } from "./point.js";
import { drawPicture } from "./sheet-view.js";

/** What a walk needs of the sheet and its generator. */
export interface Walk {
  readonly generator: Generator;
  readonly from: Point;
  readonly to: Point;
  /** The names of both ends: `digit 3 of 64`. */
  readonly names: readonly [from: string, to: string];
  run(points: readonly Point[]): Promise<Float32Array>;
}

const preview = find("#preview", HTMLCanvasElement);
const strip = find("#strip", HTMLCanvasElement);
const slider = find("#position", HTMLInputElement);
const play = find("#play", HTMLButtonElement);
const list = find("#directions", HTMLElement);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** The number of pictures in the strip, and the duration of a walk, in seconds. */
const FRAMES = 9;
const SECONDS = 3;

let walk: Walk | undefined;
let directions: readonly Float32Array[] = [];
let playing = 0;

/** Walk between other points, or in another model. Without an argument, hide the walk. */
export function setWalk(next: Walk | undefined): void {
  stop();
  walk = next;
  draw();
}

/**
 * Play the walk from start to end. With reduced motion, show only few pictures; the strip shows all of them. If the
 * walk is outside the visible area, as on a phone, scroll to it.
 */
export function startWalk(): void {
  slider.value = "0";
  find("#walk-view", HTMLElement).scrollIntoView({
    block: "nearest",
    behavior: calm.matches ? "auto" : "smooth",
  });
  if (calm.matches) draw();
  else run();
}

/** Whether a walk is playing. */
export function isWalking(): boolean {
  return playing !== 0;
}

/** Say and draw the slider's position. The words do not wait for the pictures. */
function draw(): void {
  const [from, to] = walk?.names ?? [];
  const share = `${Math.round(100 * Number(slider.value))}%`;
  slider.setAttribute("aria-valuetext", from ? `${share} of the way from ${from} to ${to}` : share);
  drawPictures();
}

const drawPictures = latestOnly(async () => {
  if (!walk) return;
  const { generator } = walk;
  const times = [Number(slider.value), ...Array.from({ length: FRAMES }, (_, i) => i / (FRAMES - 1))];
  const images = await walk.run(pointsAt(walk, times));
  const size = images.length / times.length;
  const paint = (images: Float32Array, count: number): Picture =>
    paintSheet(images, { count, ...generator.image }, { range: generator.range, columns: count, padding: 0 });
  drawPicture(preview, paint(images.subarray(0, size), 1));
  drawPicture(strip, paint(images.subarray(size), FRAMES));
});

/** Points along the walk, shifted by the sliders. */
function pointsAt({ from, to }: Walk, times: readonly number[]): Point[] {
  const moves = Array.from(list.querySelectorAll("input"), ({ value }) => Number(value));
  return times.map((time) => {
    const point = between(from, to, time);
    for (const [k, direction] of directions.entries()) addScaled(point.z, direction, moves[k]);
    return point;
  });
}

function run(): void {
  const began = performance.now();
  const first = Number(slider.value) < 1 ? Number(slider.value) : 0;
  const step = (now: number) => {
    const time = first + Math.max(0, now - began) / 1000 / SECONDS;
    // With reduced motion, show a few pictures one after the other.
    const shown = calm.matches ? Math.floor(time * (FRAMES - 1)) / (FRAMES - 1) : time;
    slider.value = String(Math.min(1, shown));
    draw();
    if (time < 1) playing = requestAnimationFrame(step);
    else stop();
  };
  playing = requestAnimationFrame(step);
  play.textContent = "Pause";
}

function stop(): void {
  cancelAnimationFrame(playing);
  playing = 0;
  play.textContent = "Play";
}

/** Create a slider for each direction. */
export function setDirections(next: readonly Float32Array[]): void {
  directions = next;
  list.replaceChildren(
    ...next.map((_, i) => {
      const label = document.createElement("label");
      const input = document.createElement("input");
      Object.assign(input, { type: "range", min: "-3", max: "3", step: "0.05", value: "0" });
      label.append(`Direction ${i + 1}`, input);
      return label;
    }),
  );
}

play.addEventListener("click", () => (playing ? stop() : run()));
slider.addEventListener("input", () => {
  stop();
  draw();
});
list.addEventListener("input", draw);
find("#straighten", HTMLButtonElement).addEventListener("click", () => {
  for (const input of list.querySelectorAll("input")) input.value = "0";
  draw();
});
