import { type Provenance, timeOf } from "./provenance.js";
import type { Curve, RunReport } from "./report-data.js";

const STYLE = `:root{color-scheme:light dark;--ink:#1b1b1f;--soft:#5d5d66;--line:#d5d5dc;--paper:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#ececf1;--soft:#a3a3ad;--line:#3c3c44;--paper:#17171a}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:62rem;margin:2rem auto;padding:0 1rem}
h1,h2{line-height:1.2}h2{margin-top:2.5rem}table{border-collapse:collapse}td,th{text-align:left;padding:.15rem 1rem .15rem 0;vertical-align:top}
.soft{color:var(--soft)}.warn{border-left:4px solid #c46a00;padding-left:.7rem}.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:1rem}
figure{margin:0}svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font:11px system-ui,sans-serif}svg .axis{stroke:var(--line)}
img{image-rendering:pixelated;max-width:100%;width:38rem}input[type=range]{width:100%;max-width:38rem}code,pre{font-family:ui-monospace,monospace;font-size:.9rem}
.wide{overflow-x:auto}.wide td{white-space:nowrap}pre{overflow-x:auto;border:1px solid var(--line);padding:.7rem}.bar{fill:#3a7bd5}`;

const COLOURS = ["#3a7bd5", "#d5573a", "#2f9e62", "#9a4fd0", "#b08400", "#1797a6"];

const escaped = (value: unknown) => String(value).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const shown = (value: number) => String(Number(value.toPrecision(4)));
/** A number that fits beside an axis. */
const short = (value: number) =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)
    ? value.toExponential(1).replace("+", "")
    : String(Number(value.toPrecision(3)));

/**
 * A report of a run as one page without other files.
 *
 * @param commands suggested next commands for the run.
 */
export function reportPage(run: RunReport, commands: readonly string[]): string {
  const { name, settings, sheets, warnings, provenance } = run;
  const last = run.scores.flatMap(({ name, points }) => {
    const point = points.at(-1);
    return point ? [[name, `${shown(point[1])} (epoch ${point[0]})`] as const] : [];
  });
  return page(
    `${name}: report`,
    `<h1>${escaped(name)}</h1>
${warnings.map((warning) => `<p class="warn">${escaped(warning)}</p>`).join("\n")}
${last.length > 0 ? `<h2>Scores</h2>${table(last)}<div class="charts">${charts(run.scores.filter(({ name }) => name !== "samples").map((curve) => [curve]))}</div>` : ""}
${run.classes ? `<h2>Classes of the samples, epoch ${run.classes.epoch}</h2>${histogram(run.classes.shares)}` : ""}
${sheets.length > 0 ? slider(sheets) : ""}
<h2>Metrics</h2><div class="charts">${charts(grouped(run.metrics))}</div>
<h2>Commands</h2><pre>${commands.map(escaped).join("\n")}</pre>
<h2>Settings</h2>${table(Object.entries(settings).map(([key, value]) => [key, JSON.stringify(value)]))}
${provenance ? origin(provenance) : ""}`,
  );
}

/** The origin of a run: its data, settings, machine, duration, and the command that repeats it. */
function origin(provenance: Provenance): string {
  const { command, data, sessions } = provenance;
  const { seconds, stepsPerSecond } = timeOf(provenance);
  const { count, channels, height, width, bytes, sha256 } = data;
  const facts = [
    ["data", `${data.name}: ${count} images of ${channels}x${height}x${width}, ${bytes} bytes`],
    ["data, sha256", sha256],
    ["time", `${duration(seconds)}, ${stepsPerSecond.toFixed(1)} steps/s`],
  ];
  const epochs = sessions.flatMap(({ epochs }) => epochs);
  const speed = [
    { name: "steps per second", of: (one: (typeof epochs)[number]) => one.stepsPerSecond },
    { name: "seconds per epoch", of: (one: (typeof epochs)[number]) => one.seconds },
  ].map(({ name, of }) => [{ name, points: epochs.map((one) => [one.epoch, of(one)] as const) }]);
  const head = ["started", "time", "from", "to", "gan-onnx", "ONNX Runtime", "Node", "platform", "processor"];
  const place = ({ epoch, step }: { epoch: number; step: number }) =>
    step === 0 ? `epoch ${epoch}` : `epoch ${epoch}, step ${step}`;
  const rows = sessions.map(({ started, seconds, from, to, versions, machine, diverged }) => [
    started.replace(/\.\d+Z$/, "Z"),
    duration(seconds),
    place(from),
    diverged ? `${place(to)}; diverged in epoch ${diverged.epoch}, step ${diverged.step}` : place(to),
    versions["gan-onnx"],
    versions.onnxruntime,
    versions.node,
    machine.platform,
    `${machine.processor}, ${machine.cores} cores, ${(machine.memory / 2 ** 30).toFixed(0)} GiB`,
  ]);
  return `<h2>Speed</h2><div class="charts">${charts(speed)}</div>
<h2>Provenance</h2>${table(facts)}
<p>This repeats the run:</p><pre>${escaped(command)}</pre>
<div class="wide">${rowsTable([head, ...rows])}</div>`;
}

/** A duration in its two largest units. */
function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${seconds.toFixed(1)} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/**
 * A page that compares several runs.
 *
 * @param results a table with the results of each run. The first row is the header.
 */
export function comparisonPage(runs: readonly RunReport[], results: readonly (readonly string[])[]): string {
  const named = (kind: "metrics" | "scores") => [
    ...new Set(runs.flatMap((run) => run[kind].map(({ name }) => name))),
  ];
  const together = (kind: "metrics" | "scores") =>
    named(kind).map((name) =>
      runs.flatMap((run) => {
        const curve = run[kind].find((one) => one.name === name);
        return curve ? [{ name: run.name, points: curve.points }] : [];
      }),
    );
  const titled = (kind: "metrics" | "scores") =>
    together(kind)
      .map(
        (curves, i) => `<figure><figcaption>${escaped(named(kind)[i])}</figcaption>${chart(curves)}</figure>`,
      )
      .join("");
  const keys = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))];
  const cells = keys.map((key) => [key, ...runs.map(({ settings }) => JSON.stringify(settings[key]) ?? "")]);
  const rows = [["", ...runs.map(({ name }) => name)], ...cells];
  const sheets = runs.flatMap(({ name, sheets }) => {
    const last = sheets.at(-1);
    return last
      ? [
          `<figure><figcaption>${escaped(name)}, epoch ${last.epoch}</figcaption><img alt="" src="${source(last.png)}"></figure>`,
        ]
      : [];
  });
  return page(
    "Runs",
    `<h1>${results.length - 1} runs</h1>
<h2>Results</h2><div class="wide">${rowsTable(results)}</div>
${named("scores").length > 0 ? `<h2>Scores</h2><div class="charts">${titled("scores")}</div>` : ""}
<h2>Metrics</h2><div class="charts">${titled("metrics")}</div>
<h2>Sheets</h2><div class="charts">${sheets.join("")}</div>
<h2>Settings</h2>${rowsTable(rows)}`,
  );
}

/** A table of rows. The first row is the header. */
function rowsTable(rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string) =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  return `<table>${rows.map((row, i) => cells(row, i === 0 ? "th" : "td")).join("")}</table>`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body>
${body}
</body></html>
`;
}

const table = (rows: readonly (readonly string[])[]) =>
  `<table>${rows.map(([key, value]) => `<tr><th scope="row">${escaped(key)}</th><td>${escaped(value)}</td></tr>`).join("")}</table>`;

const source = (png: Uint8Array) => `data:image/png;base64,${Buffer.from(png).toString("base64")}`;

function slider(sheets: RunReport["sheets"]): string {
  const data = JSON.stringify(sheets.map(({ epoch, png }) => [epoch, Buffer.from(png).toString("base64")]));
  const last = sheets[sheets.length - 1];
  return `<h2>Sheets</h2><p><label>Epoch <output id="epoch">${last.epoch}</output><br>
<input type="range" id="slider" min="0" max="${sheets.length - 1}" value="${sheets.length - 1}"></label></p>
<img id="sheet" alt="Samples after the chosen epoch" src="${source(last.png)}">
<script>{const sheets=${data};const at=(id)=>document.getElementById(id);
at("slider").oninput=({target})=>{const [epoch,png]=sheets[target.value];at("epoch").value=epoch;at("sheet").src="data:image/png;base64,"+png}}</script>`;
}

/** All losses are in one chart; every other metric has its own. */
function grouped(curves: readonly Curve[]): Curve[][] {
  const losses = curves.filter(({ name }) => /loss/.test(name));
  const scores = curves.filter(({ name }) => /_score$/.test(name));
  const others = curves.filter((curve) => !losses.includes(curve) && !scores.includes(curve));
  return [losses, scores, ...others.map((curve) => [curve])].filter(({ length }) => length > 0);
}

const charts = (groups: readonly (readonly Curve[])[]) =>
  groups
    .map(
      (curves) =>
        `<figure><figcaption>${escaped(curves.map(({ name }) => name).join(", "))}</figcaption>${chart(curves)}</figure>`,
    )
    .join("");

/** Curves over epochs as SVG. */
function chart(curves: readonly Curve[]): string {
  const points = curves.flatMap(({ points }) => points);
  if (points.length === 0) return '<p class="soft">nothing yet</p>';
  const extent = (axis: 0 | 1) => {
    const [low, high] = points.reduce(
      ([a, b], p) => [Math.min(a, p[axis]), Math.max(b, p[axis])],
      [Infinity, -Infinity],
    );
    return low === high ? ([low - 0.5, high + 0.5] as const) : ([low, high] as const);
  };
  const [[left, right], [bottom, top]] = [extent(0), extent(1)];
  const [width, height, margin, below] = [360, 190, 48, 34];
  const x = (epoch: number) => margin + ((epoch - left) / (right - left)) * (width - margin - 8);
  const y = (value: number) => height - below - ((value - bottom) / (top - bottom)) * (height - below - 10);
  const lines = curves.map(({ points }, i) => {
    const path = points.map(([epoch, value]) => `${x(epoch).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    const colour = COLOURS[i % COLOURS.length];
    return points.length > 1
      ? `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${path}"/>`
      : `<circle r="3" fill="${colour}" cx="${path.split(",")[0]}" cy="${path.split(",")[1]}"/>`;
  });
  const legend =
    curves.length < 2
      ? ""
      : `<p class="soft">${curves.map(({ name }, i) => `<span style="color:${COLOURS[i % COLOURS.length]}">&#9632;</span> ${escaped(name)}`).join(" ")}</p>`;
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(curves.map(({ name }) => name).join(", "))} over epochs">
<path class="axis" fill="none" d="M${margin} 10V${height - below}H${width - 8}"/>
<text x="${margin - 4}" y="18" text-anchor="end">${short(top)}</text><text x="${margin - 4}" y="${height - below}" text-anchor="end">${short(bottom)}</text>
<text x="${margin}" y="${height - 14}">${shown(left)}</text><text x="${width - 8}" y="${height - 14}" text-anchor="end">epoch ${shown(right)}</text>
${lines.join("")}</svg>${legend}`;
}

function histogram(shares: readonly number[]): string {
  const most = Math.max(...shares, 1e-9);
  const bars = shares.map((share, c) => {
    const height = (100 * share) / most;
    return `<rect class="bar" x="${30 * c + 4}" y="${120 - height}" width="22" height="${height}"/><text x="${30 * c + 15}" y="134" text-anchor="middle">${c}</text><text x="${30 * c + 15}" y="${116 - height}" text-anchor="middle">${(100 * share).toFixed(0)}%</text>`;
  });
  return `<svg style="max-width:32rem" viewBox="0 0 ${30 * shares.length + 8} 140" role="img" aria-label="Share of each class">${bars.join("")}</svg>`;
}
