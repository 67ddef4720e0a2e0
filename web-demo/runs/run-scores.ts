import type { News } from "../../src/serving/run-view.js";
import { find } from "../ui/dom.js";

type Line = NonNullable<News["scores"]>["lines"][number];

const section = find("#scores", HTMLElement);
const charts = find("#score-curves", HTMLElement);
const classesTitle = find("#classes-title", HTMLElement);
const bars = find("#classes", HTMLElement);

/** The size of a plot in its own units. CSS scales it. */
const [WIDTH, HEIGHT, EDGE] = [300, 80, 4];

/** Show the scores of a run. Hide the section if there are none. */
export function showScores(lines: readonly Line[]): void {
  section.hidden = lines.length === 0;
  const names = [...new Set(lines.flatMap(({ scores }) => Object.keys(scores)))].filter(
    (name) => name !== "samples",
  );
  charts.replaceChildren(...names.map((name) => chart(name, lines)));
  const last = lines.findLast(({ classes }) => classes);
  classesTitle.hidden = bars.hidden = !last;
  if (!last?.classes) return;
  classesTitle.textContent = `Classes of the samples, epoch ${last.epoch}`;
  const most = Math.max(...last.classes, 1e-9);
  bars.replaceChildren(...last.classes.map((share, i) => bar(i, share, most)));
}

/** Convert `held_out_accuracy` and `classifierScore` to words. */
const words = (name: string) => name.replace(/_|(?=[A-Z])/g, " ").toLowerCase();

const number = (value: number) => String(Number(value.toPrecision(4)));

/** One score over the epochs, with its last value. */
function chart(name: string, lines: readonly Line[]): HTMLElement {
  const points = lines.flatMap(({ epoch, scores }) =>
    name in scores ? [[epoch, scores[name]] as const] : [],
  );
  const [epochs, values] = [points.map(([epoch]) => epoch), points.map(([, value]) => value)];
  const place = (value: number, all: readonly number[], length: number) => {
    const [low, high] = [Math.min(...all), Math.max(...all)];
    return high > low ? EDGE + ((value - low) / (high - low)) * (length - 2 * EDGE) : length / 2;
  };
  const path = points.map(
    ([epoch, value]) =>
      `${place(epoch, epochs, WIDTH).toFixed(1)} ${(HEIGHT - place(value, values, HEIGHT)).toFixed(1)}`,
  );
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const value = document.createElement("b");
  value.textContent = number(values[values.length - 1]);
  caption.append(`${words(name)} `, value);
  if (points.length > 1) {
    caption.append(` from ${number(Math.min(...values))} to ${number(Math.max(...values))}`);
  }
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `${words(name)}, epochs ${epochs[0]} to ${epochs[epochs.length - 1]}`);
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", `M${path.join("L")}${path.length === 1 ? "h0" : ""}`);
  picture.append(line);
  figure.append(caption, picture);
  return figure;
}

/** The share of a class as a bar with its number. */
function bar(label: number, share: number, most: number): HTMLElement {
  const item = document.createElement("li");
  const fill = document.createElement("span");
  fill.style.height = `${(4 * share) / most}rem`;
  item.append(`${Math.round(100 * share)}%`, fill, String(label));
  return item;
}
