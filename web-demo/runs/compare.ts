import type { ListedRun } from "../../src/serving/runs-view.js";
import { download, find } from "../ui/dom.js";
import { type ChartOptions, createChart, type Line } from "./compare-chart.js";
import { RunFeed, type Track } from "./feed.js";
import { standingOf } from "./standing.js";

/** How often to ask what is new, and how long to wait for a server that does not answer, in milliseconds. */
const [PAUSE, RETRY] = [2000, 5000];
const COLOURS = 8;

const state = find("#state", HTMLElement);
const table = find("#table", HTMLTableElement);
const epochField = find("#epoch", HTMLInputElement);
const epochName = find("#epoch-name", HTMLElement);
const sheets = find("#sheets", HTMLElement);
const chartList = find("#charts", HTMLElement);
const smooth = find("#smooth", HTMLInputElement);
const log = find("#log", HTMLInputElement);

let feeds: readonly RunFeed[] = [];
/** Runs that are not shown, by their keys. */
const hidden = new Set<string>();
const charts = new Map<string, ReturnType<typeof createChart>>();

const colourOf = (index: number) => `--run-${index % COLOURS}`;

async function update(): Promise<number | undefined> {
  try {
    const response = await fetch("runs.json");
    const list: ListedRun[] | null = response.ok ? await response.json() : null;
    if (!list) {
      say("There are no runs to show here. `gan-onnx serve --runs DIR` shows those in a folder.");
      return undefined;
    }
    const known = new Map(feeds.map((feed) => [feed.run.key, feed]));
    feeds = list.map((run) => {
      const feed = known.get(run.key);
      // Settings come with the first step of a run that is about to begin.
      return feed && sameSettings(feed.run, run) ? feed : new RunFeed(run);
    });
    for (const feed of feeds) await feed.update();
    say(
      feeds.length === 0
        ? "No run has begun yet."
        : `${feeds.length} ${feeds.length === 1 ? "run" : "runs"}.`,
    );
    show();
    return PAUSE;
  } catch {
    say("No answer from gan-onnx serve.");
    return RETRY;
  }
}

const sameSettings = (a: ListedRun, b: ListedRun) =>
  JSON.stringify(a.settings) === JSON.stringify(b.settings);

function say(text: string): void {
  if (state.textContent !== text) state.textContent = text;
}

function show(): void {
  showTable();
  showSheets();
  showCharts();
}

/** One column for each run: how it stands, its settings, its last scores. */
function showTable(): void {
  const focused = document.activeElement instanceof HTMLInputElement ? document.activeElement.name : "";
  const names = [...new Set(feeds.flatMap(({ run }) => Object.keys(run.settings)))];
  const scores = [...new Set(feeds.flatMap((feed) => [...feed.scores.keys()]))];
  const rows = [
    row("", feeds.map(heading), false),
    row("standing", feeds.map(standing), false),
    ...names.map((name) => {
      const values = feeds.map(({ run }) => run.settings[name] ?? "–");
      return row(name, values, new Set(values).size > 1);
    }),
    ...scores.map((name) => {
      const last = feeds.map((feed) => feed.scores.get(name)?.y.at(-1));
      return row(
        `last ${name}`,
        last.map((value) => (value === undefined ? "–" : String(Number(value.toPrecision(4))))),
        false,
      );
    }),
  ];
  table.replaceChildren(...rows);
  if (focused) table.querySelector<HTMLInputElement>(`input[name="${CSS.escape(focused)}"]`)?.focus();
}

function row(name: string, values: readonly (string | Node)[], differs: boolean): HTMLElement {
  const made = document.createElement("tr");
  made.classList.toggle("differs", differs);
  const head = document.createElement(name ? "th" : "td");
  if (name) head.setAttribute("scope", "row");
  head.textContent = name;
  made.append(
    head,
    ...values.map((value) => {
      const cell = document.createElement(name ? "td" : "th");
      if (!name) cell.setAttribute("scope", "col");
      cell.append(value);
      return cell;
    }),
  );
  return made;
}

/** A run's name in its colour, with a box that hides it and a link to its own page. */
function heading({ run }: RunFeed, index: number): Node {
  const label = document.createElement("label");
  label.className = "run-key";
  label.style.setProperty("--run", `var(${colourOf(index)})`);
  const box = document.createElement("input");
  Object.assign(box, { type: "checkbox", checked: !hidden.has(run.key), name: run.key });
  box.ariaLabel = `Show ${run.name}`;
  box.addEventListener("change", () => {
    if (box.checked) hidden.delete(run.key);
    else hidden.add(run.key);
    show();
  });
  const link = document.createElement("a");
  link.href = `run.html?run=${encodeURIComponent(run.key)}`;
  link.textContent = run.name;
  label.append(box, " ", link);
  return label;
}

function standing({ news }: RunFeed): string {
  return news ? standingOf(news, Boolean(news.metrics?.next), true).text : "–";
}

/** The runs that are shown, with their colours. */
const visible = () =>
  feeds.map((feed, index) => ({ feed, index })).filter(({ feed }) => !hidden.has(feed.run.key));

/** The sheet of each run at the chosen epoch, or its last one before. */
function showSheets(): void {
  const shown = visible();
  const epochs = [
    ...new Set(shown.flatMap(({ feed }) => (feed.news?.sheets ?? []).map(([epoch]) => epoch))),
  ].sort((a, b) => a - b);
  const newest = Number(epochField.value) >= Number(epochField.max);
  epochField.max = String(Math.max(0, epochs.length - 1));
  epochField.disabled = epochs.length < 2;
  if (newest) epochField.value = epochField.max;
  const epoch = epochs[Number(epochField.value)];
  if (epoch === undefined) return;
  epochName.textContent = `epoch ${epoch}`;
  epochField.setAttribute("aria-valuetext", `epoch ${epoch}`);
  const pictures = new Map(
    Array.from(sheets.querySelectorAll("img"), (picture) => [picture.getAttribute("src"), picture]),
  );
  sheets.replaceChildren(
    ...shown.map(({ feed, index }) => {
      const { run, news } = feed;
      const found = news?.sheets.findLast(([at]) => at <= epoch);
      const figure = document.createElement("figure");
      const caption = document.createElement("figcaption");
      caption.className = "run-key";
      caption.style.setProperty("--run", `var(${colourOf(index)})`);
      caption.textContent = found ? `${run.name}, epoch ${found[0]}` : `${run.name}: no sheet yet`;
      figure.append(caption);
      if (found) {
        const src = `runs/${encodeURIComponent(run.key)}/run/img/fake_images-${found[0]}.png?${found[1]}`;
        const picture = pictures.get(src) ?? document.createElement("img");
        if (!picture.src) {
          picture.addEventListener("load", () => picture.classList.toggle("grey", isGrey(picture)));
          picture.src = src;
        }
        picture.alt = `Sheet of ${run.name} after epoch ${found[0]}`;
        figure.append(picture);
      }
      return figure;
    }),
  );
}

/** Grey pictures are shown as ink on paper, coloured ones as they are. */
function isGrey(picture: HTMLImageElement): boolean {
  const context = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight).getContext("2d");
  context?.drawImage(picture, 0, 0);
  const data = context?.getImageData(0, 0, picture.naturalWidth, picture.naturalHeight).data;
  return !data?.some((byte, i) => i % 4 === 0 && (byte !== data[i + 1] || byte !== data[i + 2]));
}

const options = (): ChartOptions => ({ log: log.checked, smooth: Number(smooth.value) });

/** A chart for each metric, and for each score; scores are few and are not smoothed. */
function showCharts(): void {
  const of = (tracks: (feed: RunFeed) => ReadonlyMap<string, Track>, name: string): Line[] =>
    visible().flatMap(({ feed, index }) => {
      const track = tracks(feed).get(name);
      return track ? [{ run: feed.run.name, colour: colourOf(index), track }] : [];
    });
  const names = (tracks: (feed: RunFeed) => ReadonlyMap<string, Track>) => [
    ...new Set(feeds.flatMap((feed) => [...tracks(feed).keys()])),
  ];
  const metrics = (feed: RunFeed) => feed.tracks;
  const scores = (feed: RunFeed) => feed.scores;
  for (const name of names(metrics)) chartOf(name, "step").show(of(metrics, name), options());
  for (const name of names(scores))
    chartOf(name, "epoch").show(of(scores, name), { ...options(), smooth: 0 });
}

function chartOf(name: string, unit: "step" | "epoch") {
  const found = charts.get(name);
  if (found) return found;
  const chart = createChart(name, unit);
  charts.set(name, chart);
  chartList.append(chart.root);
  return chart;
}

/** Everything that is drawn, as it was before smoothing: one line for each point. */
function csv(): string {
  const quoted = (value: string) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const lines = visible().flatMap(({ feed }) =>
    [...feed.tracks, ...feed.scores].flatMap(([name, { x, y }]) => {
      const unit = feed.tracks.has(name) ? "step" : "epoch";
      return x.map((at, i) => [quoted(feed.run.name), name, unit, at, y[i]].join(","));
    }),
  );
  return `${["run,metric,unit,at,value", ...lines].join("\n")}\n`;
}

epochField.addEventListener("input", showSheets);
for (const field of [smooth, log]) field.addEventListener("input", showCharts);
find("#csv", HTMLButtonElement).addEventListener("click", () => {
  download(new Blob([csv()], { type: "text/csv" }), "runs.csv");
});

async function watch(): Promise<void> {
  const pause = await update();
  if (pause !== undefined) setTimeout(watch, pause);
}
watch();
