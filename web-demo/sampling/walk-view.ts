import { type Picture, paintSheet } from "../../src/data/sheet.js";
import type { Generator } from "../../src/export/description.js";
import { type Tensors, tensorsOf } from "../../src/tensors/tensor.js";
import { find, latestOnly } from "../ui/dom.js";
import { addScaled, slerp } from "./latent.js";
import { drawPicture } from "./sheet-view.js";

/** A point of the latent space, with the class that is drawn there where there are classes. */
export interface Point {
  readonly z: Float32Array;
  readonly label?: bigint;
}

/** What the walk needs to know of the sheet and its generator. */
export interface Walk {
  readonly generator: Generator;
  readonly from: Point;
  readonly to: Point;
  run(feeds: Tensors): Promise<Float32Array>;
}

const preview = find("#preview", HTMLCanvasElement);
const strip = find("#strip", HTMLCanvasElement);
const slider = find("#position", HTMLInputElement);
const play = find("#play", HTMLButtonElement);
const list = find("#directions", HTMLElement);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Pictures in the strip, and how long a walk takes. */
const FRAMES = 9;
const SECONDS = 3;

let walk: Walk | undefined;
let directions: readonly Float32Array[] = [];
let playing = 0;

/** Walk between other points, or in another model, or for a while nowhere. */
export function setWalk(next: Walk | undefined): void {
  stop();
  walk = next;
  draw();
}

/** Go from the beginning to the end; with little motion when the reader wants little: the strip shows it all. */
export function startWalk(): void {
  slider.value = "0";
  if (calm.matches) draw();
  else run();
}

const draw = latestOnly(async () => {
  if (!walk) return;
  const { generator } = walk;
  const times = [Number(slider.value), ...Array.from({ length: FRAMES }, (_, i) => i / (FRAMES - 1))];
  const images = await walk.run(feedsAt(walk, times));
  const size = images.length / times.length;
  const paint = (images: Float32Array, count: number): Picture =>
    paintSheet(images, { count, ...generator.image }, { range: generator.range, columns: count, padding: 0 });
  drawPicture(preview, paint(images.subarray(0, size), 1));
  drawPicture(strip, paint(images.subarray(size), FRAMES));
});

/** Latents and labels along the way, moved by what the sliders say. */
function feedsAt({ generator, from, to }: Walk, times: readonly number[]): Tensors {
  const moves = Array.from(list.querySelectorAll("input"), ({ value }) => Number(value));
  const data = new Float32Array(times.length * generator.latent);
  for (const [i, time] of times.entries()) {
    const z = slerp(from.z, to.z, time);
    for (const [k, direction] of directions.entries()) addScaled(z, direction, moves[k]);
    data.set(z, i * generator.latent);
  }
  const z = { dtype: "float32", shape: [times.length, generator.latent], data } as const;
  if (generator.classes === undefined) return tensorsOf({ z });
  // There is nothing between two classes: half way, one gives way to the other.
  const labels = BigInt64Array.from(times, (time) => (time < 0.5 ? from : to).label ?? 0n);
  return tensorsOf({ z, label: { dtype: "int64", shape: [times.length], data: labels } });
}

function run(): void {
  const began = performance.now();
  const first = Number(slider.value) < 1 ? Number(slider.value) : 0;
  const step = (now: number) => {
    const time = first + Math.max(0, now - began) / 1000 / SECONDS;
    // With little motion, a few pictures one after the other.
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

/** Give each of these directions a slider. */
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
