import { ticksAround } from "../ui/curves.js";
import { contextOf, download } from "../ui/dom.js";
import { smoothedTrack, type Track } from "./feed.js";

/** A curve of a run, in its colour. */
export interface Line {
  readonly run: string;
  /** A colour of CSS. */
  readonly colour: string;
  readonly track: Track;
}

export interface ChartOptions {
  readonly log: boolean;
  /** From 0, as they are, to below 1. */
  readonly smooth: number;
}

const [LEFT, BOTTOM, TOP, RIGHT] = [52, 22, 6, 8];

const text = (value: number) =>
  value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(4)));

/** A chart of one metric of several runs. A pointer reads the values; a button saves it as a PNG. */
export function createChart(name: string, unit: "step" | "epoch") {
  const root = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const canvas = document.createElement("canvas");
  const save = document.createElement("button");
  Object.assign(save, { type: "button", textContent: "Save PNG", className: "small" });
  save.ariaLabel = `Save PNG of ${name}`;
  canvas.role = "img";
  root.append(caption, canvas, save);
  let [lines, options]: [readonly Line[], ChartOptions] = [[], { log: false, smooth: 0 }];
  let pointed: number | undefined;

  const shown = (): Line[] =>
    lines.map((line) => {
      const { x, y } = smoothedTrack(line.track, options.smooth);
      const fits = (_: number, i: number) => Number.isFinite(y[i]) && (!options.log || y[i] > 0);
      return { ...line, track: { x: x.filter(fits), y: y.filter(fits) } };
    });

  const draw = () => {
    const context = contextOf(canvas);
    const ratio = devicePixelRatio;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(canvas);
    const colourOf = (property: string) => style.getPropertyValue(property);
    const current = shown();
    const scaled = options.log ? Math.log10 : (value: number) => value;
    const ys = current.flatMap(({ track }) => track.y).map(scaled);
    const xs = current.flatMap(({ track }) => track.x);
    const [low, high] = rangeOf(ys);
    const [first, last] = [minimum(xs, 0), Math.max(maximum(xs, 1), minimum(xs, 0) + 1)];
    const atX = (x: number) => LEFT + ((x - first) / (last - first)) * (width - LEFT - RIGHT);
    const atY = (y: number) => TOP + (1 - (scaled(y) - low) / (high - low)) * (height - TOP - BOTTOM);

    context.fillStyle = colourOf("--paper");
    context.fillRect(0, 0, width, height);
    context.font = `12px ${style.fontFamily}`;
    context.fillStyle = colourOf("--quiet");
    context.strokeStyle = colourOf("--line");
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const tick of ticksAround(low, high).filter((tick) => tick >= low && tick <= high)) {
      const value = options.log ? 10 ** tick : tick;
      stroke(context, [
        [LEFT, atY(value)],
        [width - RIGHT, atY(value)],
      ]);
      context.fillText(text(value), LEFT - 6, atY(value));
    }
    context.textAlign = "center";
    for (const tick of ticksAround(first, last).filter((tick) => tick >= first && tick <= last)) {
      if (Number.isInteger(tick)) context.fillText(text(tick), Math.min(atX(tick), width - 16), height - 9);
    }
    context.save();
    context.beginPath();
    context.rect(LEFT, 0, width - LEFT, height - BOTTOM);
    context.clip();
    context.lineWidth = 1.6;
    for (const { colour, track } of current) {
      context.strokeStyle = colourOf(colour);
      context.fillStyle = colourOf(colour);
      stroke(
        context,
        track.x.map((x, i) => [atX(x), atY(track.y[i])]),
      );
      if (track.x.length === 1) context.fillRect(atX(track.x[0]) - 2, atY(track.y[0]) - 2, 4, 4);
    }
    context.restore();
    const x = pointed === undefined ? undefined : first + pointed * (last - first);
    if (x !== undefined) {
      context.strokeStyle = colourOf("--ink");
      stroke(context, [
        [atX(x), TOP],
        [atX(x), height - BOTTOM],
      ]);
    }
    say(current, x);
  };

  /** The values at a place, or the last ones. */
  const say = (current: readonly Line[], x: number | undefined) => {
    const title = document.createElement("b");
    title.textContent = x === undefined ? name : `${name}, ${unit} ${Math.round(x)}`;
    const values = current.map(({ run, colour, track }) => {
      const key = document.createElement("span");
      key.className = "run-key";
      key.style.setProperty("--run", `var(${colour})`);
      const at = x === undefined ? track.x.length - 1 : nearest(track.x, x);
      key.textContent = `${run} ${at < 0 ? "–" : text(track.y[at])}`;
      return key;
    });
    caption.replaceChildren(title, ...values);
    if (x === undefined)
      canvas.ariaLabel = [name, ...values.map(({ textContent }) => textContent)].join(", ");
  };

  const point = (share: number | undefined) => {
    pointed = share;
    draw();
  };
  canvas.addEventListener("pointermove", ({ offsetX }) => {
    point(Math.min(1, Math.max(0, (offsetX - LEFT) / (canvas.clientWidth - LEFT - RIGHT))));
  });
  for (const type of ["pointerleave", "pointercancel"]) canvas.addEventListener(type, () => point(undefined));
  save.addEventListener("click", () => canvas.toBlob((blob) => blob && download(blob, `${name}.png`)));
  new ResizeObserver(draw).observe(canvas);
  return {
    root,
    show(next: readonly Line[], how: ChartOptions): void {
      [lines, options] = [next, how];
      draw();
    },
  };
}

function stroke(context: CanvasRenderingContext2D, points: readonly (readonly [number, number])[]): void {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
}

/** All values but the wildest, so that one does not flatten the others. */
function rangeOf(values: readonly number[]): [low: number, high: number] {
  const sorted = values.toSorted((a, b) => a - b);
  if (sorted.length === 0) return [0, 1];
  const [low, high] = [0.005, 0.995].map((share) => sorted[Math.round(share * (sorted.length - 1))]);
  const margin = (high - low || Math.abs(high) || 1) * 0.05;
  return [low - margin, high + margin];
}

const minimum = (values: readonly number[], none: number) =>
  values.length === 0 ? none : values.reduce((a, b) => Math.min(a, b));
const maximum = (values: readonly number[], none: number) =>
  values.length === 0 ? none : values.reduce((a, b) => Math.max(a, b));

/** Where a value stands in an ascending list, or the nearest to it. */
function nearest(values: readonly number[], x: number): number {
  const after = values.findIndex((value) => value >= x);
  if (after <= 0) return after < 0 ? values.length - 1 : 0;
  return values[after] - x < x - values[after - 1] ? after : after - 1;
}
