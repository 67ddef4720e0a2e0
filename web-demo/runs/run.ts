import type { MetricsPart, News } from "../../src/serving/run-view.js";
import { type CurvePoint, createCurves } from "../ui/curves.js";
import { find } from "../ui/dom.js";
import { showScores } from "./run-scores.js";
import { showSheets } from "./run-sheets.js";
import { COMPLETE, STILL, standingOf } from "./standing.js";

/** The interval of requests, and the delay after a failed request, in milliseconds. */
const [PAUSE, RETRY] = [1000, 5000];
/** The run of several that the page was asked for, as the beginning of its addresses. */
const key = new URLSearchParams(location.search).get("run");
const base = key === null ? "" : `runs/${encodeURIComponent(key)}/`;
/** Over how many milliseconds the speed is measured. */
const WINDOW = 30_000;

const progress = find("#progress", HTMLProgressElement);
const state = find("#state", HTMLElement);
const position = find("#position", HTMLElement);
const curves = createCurves(find("#curves", HTMLElement));

/** A line of the metrics. */
interface Line extends Readonly<Record<string, number>> {
  readonly epoch: number;
  readonly iteration: number;
}

/** The state of reading the run's files. */
let [file, next, steps, scored] = ["", 0, 0, 0];
let last: Line | undefined;
let everThere = false;
/** Steps in an epoch; known after the first complete epoch. */
let perEpoch: number | undefined;
/** The number of steps at some times. */
let times: { readonly time: number; readonly steps: number }[] = [];

/** Request the news and show them. Returns the delay before the next request, or undefined to stop. */
async function update(): Promise<number | undefined> {
  let news: News | undefined;
  try {
    const response = await fetch(
      `${base}run.json?${new URLSearchParams({ file, from: String(next), scored: String(scored) })}`,
    );
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    news = await response.json();
  } catch {
    say("No answer from gan-onnx serve.", false);
    return RETRY;
  }
  if (!news) {
    document.body.classList.add("none");
    say("There is no run to show here. `gan-onnx serve --run DIR` shows one.", false);
    return undefined;
  }
  if (news.there) {
    take(news.metrics);
    showSheets(news, base);
    if (news.scores) {
      scored = news.scores.changed;
      showScores(news.scores.lines);
    }
    if (news.metrics?.more) return 0;
  }
  showStanding(news);
  return PAUSE;
}

/** Add the new lines. If the file is a different one, it is read from the beginning. */
function take(part: MetricsPart | undefined): void {
  if (!part || part.from === 0) {
    if (steps > 0) curves.clear();
    if (scored > 0) showScores([]);
    [steps, last, perEpoch, times, scored] = [0, undefined, undefined, [], 0];
  }
  [file, next] = part ? [part.file, part.next] : ["", 0];
  const lines = (part?.text ?? "").split("\n").flatMap(parsed);
  const points = lines.map((line): CurvePoint => {
    if (last && line.epoch > last.epoch) perEpoch = last.iteration;
    last = line;
    const { epoch: _, iteration: __, ...metrics } = line;
    steps++;
    return { step: steps, metrics };
  });
  curves.append(points);
  // Steps arrive in blocks. Measure the speed from their arrival, not from when the page was opened.
  if (part && part.from > 0 && !part.more && points.length > 0) {
    times.push({ time: performance.now(), steps });
  }
}

/** Parse a line. Returns an empty list for a line that was cut off when the process was killed. */
function parsed(text: string): Line[] {
  try {
    const entries = Object.entries(JSON.parse(text)).filter(([, value]) => typeof value === "number");
    const line = Object.fromEntries(entries) as unknown as Line;
    return line.epoch >= 1 && line.iteration >= 1 ? [line] : [];
  } catch {
    return [];
  }
}

/** Show what is trained, and the progress. */
function showStanding(news: News): void {
  const { name, settings, metrics } = news;
  const epochs = settings?.epochs;
  const { text, growing } = standingOf(news, last?.epoch, everThere);
  everThere ||= news.there;
  say(text, growing);
  find("#name", HTMLElement).textContent = name;
  document.title = `${last ? `${last.epoch}${epochs ? `/${epochs}` : ""} · ` : ""}${name} · gan-onnx`;
  find("#settings", HTMLElement).textContent = settings ? captionOf(settings) : "";
  if (!last) {
    progress.value = 0;
    position.textContent = "";
    return;
  }
  const complete = last.epoch - 1 + (perEpoch ? last.iteration / perEpoch : 0);
  progress.value = text === COMPLETE ? 1 : complete / (epochs ?? Number.POSITIVE_INFINITY);
  const rate = growing ? speed() : undefined;
  const left = rate && perEpoch && epochs ? (epochs * perEpoch - steps) / rate : undefined;
  const parts = [
    `epoch ${last.epoch}${epochs ? ` of ${epochs}` : ""}`,
    `iteration ${last.iteration}${perEpoch ? ` of ${perEpoch}` : ""}`,
    rate && `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} steps/s`,
    left && `${duration(left)} left`,
    metrics && metrics.idle >= STILL && `last step ${duration(metrics.idle)} ago`,
  ];
  position.textContent = joined(parts);
}

function captionOf(settings: NonNullable<News["settings"]>): string {
  const { recipe, data, epochs, batchSize, learningRate, loss, seed, ep } = settings;
  const parts = [
    `${recipe} on ${data}`,
    `${epochs} epochs`,
    `batch ${batchSize}`,
    learningRate !== undefined && `learning rate ${learningRate}`,
    loss !== undefined && `loss ${loss}`,
    `seed ${seed}`,
    ep,
  ];
  return joined(parts);
}

/** Join the existing parts to a line that breaks only between them. */
function joined(parts: readonly (string | number | false | undefined)[]): string {
  const shown = parts.filter((part) => typeof part === "string");
  return shown.map((part) => part.replaceAll(" ", "\u00a0")).join("\u00a0· ");
}

/** Recent steps per second. */
function speed(): number | undefined {
  const now = performance.now();
  times = times.filter(({ time }, i) => time > now - WINDOW || i >= times.length - 2);
  const [first, end] = [times[0], times.at(-1)];
  if (!first || !end || end.time - first.time < 3 * PAUSE) return undefined;
  return (1000 * (end.steps - first.steps)) / (end.time - first.time);
}

/** Show the state of the run. A screen reader announces changes. */
function say(text: string, growing: boolean): void {
  if (state.textContent !== text) state.textContent = text;
  document.body.classList.toggle("growing", growing);
}

/** A duration in at most two units: `3 h 20 min`. */
function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`;
}

async function watch(): Promise<void> {
  const pause = await update();
  if (pause !== undefined) setTimeout(watch, pause);
}
watch();
