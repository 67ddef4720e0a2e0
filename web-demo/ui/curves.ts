import "./curves.css";

/** The metrics of a step, counted from 1 over the whole training. */
export interface CurvePoint {
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The name of a metric, and the style of its line. */
export interface Word {
  readonly text: string;
  readonly style: number;
}

export interface Curves {
  /** Add steps, each later than those before. Numbers that are not finite are ignored. */
  append(points: readonly CurvePoint[]): void;
  /** Remove all steps. */
  clear(): void;
}

/** The values of the steps in one bin. */
interface Bin {
  low: number;
  high: number;
  sum: number;
  count: number;
}

/** A metric over the steps: one bin per `stride` steps, undefined where it has no value. */
type Series = (Bin | undefined)[];

/** The maximum number of bins, more than the pixels of a panel. As a training grows, bins are joined. */
const BINS = 512;
/** The number of line styles in a panel, with different colours and dashes. */
const STYLES = 3;
/** The size of a plot in its own units. CSS scales it. */
const [WIDTH, HEIGHT] = [1000, 100];

/**
 * Draw live curves of metrics over steps into an element: losses (`loss`, `d_loss`) in one panel, all other metrics in
 * a second one, because they have other scales. Each curve is a smoothed line over the range of its values. A pointer
 * shows the values of a step.
 *
 * @param words the names of metrics. The default is their own names.
 */
export function createCurves(element: HTMLElement, words: Readonly<Record<string, Word>> = {}): Curves {
  const all = new Map<string, Series>();
  const panels = [createPanel("Losses", words), createPanel("Scores", words)];
  const panelOf = (name: string) => panels[name.endsWith("loss") ? 0 : 1];
  let extent: Extent = { first: 0, last: 0, stride: 1 };
  let pointedAt: number | undefined;
  let pending = false;

  const draw = () => {
    pending = false;
    for (const panel of panels) {
      const series = [...all].filter(([name]) => panelOf(name) === panel);
      panel.draw(new Map(series), extent, pointedAt);
    }
  };
  const redraw = () => {
    if (!pending) requestAnimationFrame(draw);
    pending = true;
  };
  const point = (share: number | undefined) => {
    pointedAt = share;
    redraw();
  };
  for (const { root, plot } of panels) {
    element.append(root);
    plot.addEventListener("pointermove", ({ clientX }) => {
      const { left, width } = plot.getBoundingClientRect();
      point(Math.min(Math.max((clientX - left) / width, 0), 1));
    });
    for (const type of ["pointerleave", "pointercancel"]) plot.addEventListener(type, () => point(undefined));
  }
  element.classList.add("curves");
  draw();
  return {
    append(points) {
      for (const { step, metrics } of points) {
        if (all.size === 0) extent = { first: step, last: step, stride: 1 };
        extent = { ...extent, last: step };
        while (binOf(step, extent) >= BINS) {
          for (const [name, series] of all) all.set(name, joined(series));
          extent = { ...extent, stride: 2 * extent.stride };
        }
        for (const [name, value] of Object.entries(metrics)) {
          if (!Number.isFinite(value)) continue;
          const series = all.get(name) ?? [];
          all.set(name, series);
          const at = binOf(step, extent);
          series[at] = join(series[at], { low: value, high: value, sum: value, count: 1 });
        }
      }
      if (points.length > 0) redraw();
    },
    clear() {
      all.clear();
      redraw();
    },
  };
}

/** The visible steps, and the number of steps per bin. */
interface Extent {
  readonly first: number;
  readonly last: number;
  readonly stride: number;
}

const binOf = (step: number, { first, stride }: Extent) => Math.floor((step - first) / stride);

function join(a: Bin | undefined, b: Bin | undefined): Bin | undefined {
  if (!a || !b) return a ?? b;
  return {
    low: Math.min(a.low, b.low),
    high: Math.max(a.high, b.high),
    sum: a.sum + b.sum,
    count: a.count + b.count,
  };
}

/** Join each two bins. */
function joined(series: Series): Series {
  return Array.from({ length: Math.ceil(series.length / 2) }, (_, i) =>
    join(series[2 * i], series[2 * i + 1]),
  );
}

/** The weighted mean around each bin. */
export function smoothed(series: readonly (Bin | undefined)[]): (number | undefined)[] {
  const radius = Math.round(series.length / 50);
  return Array.from(series, (bin, i) => {
    if (!bin) return undefined;
    let [sum, weight] = [0, 0];
    for (let j = Math.max(0, i - radius); j <= Math.min(series.length - 1, i + radius); j++) {
      const share = radius + 1 - Math.abs(i - j);
      sum += share * (series[j]?.sum ?? 0);
      weight += share * (series[j]?.count ?? 0);
    }
    return sum / weight;
  });
}

/** Round numbers about `(to - from) / 4` apart, from the one below `from` to the one above `to`. */
export function ticksAround(from: number, to: number): number[] {
  const rough = (to - from) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const apart = power * (([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10) as number);
  const [first, last] = [Math.floor(from / apart + 1e-9), Math.ceil(to / apart - 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * apart).toPrecision(12)));
}

/**
 * The range of a panel: nearly all values, so that a few outliers do not flatten the curves, and 0 if it is near. For
 * shares, the whole range [0, 1].
 */
function rangeOf(series: readonly Series[], shares: boolean): readonly [number, number] {
  const bins = series.flat().filter((bin) => bin !== undefined);
  if (bins.length === 0) return [0, 1];
  const sorted = (key: "low" | "high") => bins.map((bin) => bin[key]).sort((a, b) => a - b);
  const low = sorted("low")[Math.floor(0.01 * bins.length)];
  const high = sorted("high")[Math.ceil(0.99 * bins.length) - 1];
  if (shares && low >= 0 && high <= 1) return [0, 1];
  if (high <= low) return [low - (Math.abs(low) || 1) / 2, low + (Math.abs(low) || 1) / 2];
  return [low > 0 && low < high / 2 ? 0 : low, high];
}

const three = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat("en", { maximumSignificantDigits: 12 });
/** Write long numbers with a power of ten. */
const isLong = (x: number) => x !== 0 && (Math.abs(x) >= 1e6 || Math.abs(x) < 1e-4);
const valueText = (x: number) => (isLong(x) ? x.toExponential(2) : three.format(x));
const tickText = (x: number) => (isLong(x) ? x.toExponential() : whole.format(x));

/** One plot with its legend. */
function createPanel(about: string, words: Readonly<Record<string, Word>>) {
  const wordFor = (name: string) => words[name]?.text ?? name;
  const styleOf = (name: string, i: number) => `curve-${words[name]?.style ?? i % STYLES}`;
  const root = html("div", "curves-panel");
  const legend = html("p", "curves-legend");
  const plot = html("div", "curves-plot");
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" });
  const [grid, pointer] = [svg("path", { class: "curves-grid" }), svg("path", { class: "curves-grid" })];
  const lines = svg("g", {});
  const ticks = html("div", "curves-ticks");
  picture.append(grid, lines, pointer);
  plot.append(picture, ticks, html("span", "curves-unit", "step"));
  root.append(legend, plot);
  root.role = "img";

  const draw = (all: ReadonlyMap<string, Series>, extent: Extent, pointedAt: number | undefined) => {
    const { first, stride } = extent;
    const last = Math.max(extent.last, first + 1);
    const yTicks = ticksAround(...rangeOf([...all.values()], about === "Scores"));
    const [bottom, top] = [yTicks[0], yTicks[yTicks.length - 1]];
    const xTicks = ticksAround(first, last).filter(
      (step) => Number.isInteger(step) && step >= first && step <= last,
    );
    const left = (step: number) => (step - first) / (last - first);
    const down = (y: number) => (top - y) / (top - bottom);
    // The position of a bin is that of its middle step.
    const stepOf = (bin: number) => Math.min(first + (bin + 0.5) * stride - 0.5, last);
    const at = (bin: number, y: number) =>
      `${(left(stepOf(bin)) * WIDTH).toFixed(1)} ${(down(y) * HEIGHT).toFixed(2)}`;
    const bin = pointedAt === undefined ? undefined : binOf(first + pointedAt * (last - first), extent);

    const names = [...all.keys()];
    const curves = names.map((name) => smoothed(all.get(name) as Series));
    const valueAt = (bin: number) => (_: string, i: number) => {
      const found = curves[i][Math.min(bin, curves[i].length - 1)];
      return found === undefined ? "–" : valueText(found);
    };
    const latest = names.map(valueAt(BINS));
    const values = bin === undefined ? latest : names.map(valueAt(bin));
    lines.replaceChildren(
      ...names.flatMap((name, i) => {
        const bins = [...(all.get(name) as Series).entries()].filter((entry) => entry[1] !== undefined);
        const edge = (key: "low" | "high") => bins.map(([j, bin]) => at(j, (bin as Bin)[key]));
        const style = styleOf(name, i);
        const middle = bins.map(([j]) => at(j, curves[i][j] as number));
        return [
          svg("path", {
            class: `curves-band ${style}`,
            d: pathOf([...edge("high"), ...edge("low").reverse()]),
          }),
          svg("path", { class: `curves-line ${style}`, d: pathOf(middle) }),
        ];
      }),
    );
    grid.setAttribute("d", yTicks.map((y) => `M0 ${down(y) * HEIGHT}h${WIDTH}`).join(""));
    pointer.setAttribute("d", bin === undefined || all.size === 0 ? "" : `M${at(bin, top)}v${HEIGHT}`);
    const below = (step: number) => tick("x", whole.format(step), "left", left(step));
    const pointed = bin === undefined ? [] : [below(Math.round(stepOf(bin)))];
    for (const label of pointed) label.classList.add("curves-pointed");
    const labels = [...yTicks.map((y) => tick("y", tickText(y), "top", down(y))), ...xTicks.map(below)];
    ticks.replaceChildren(...(all.size === 0 ? [] : [...labels, ...pointed]));
    const none = `${about}: no steps yet`;
    const keys = names.map((name, i) => key(wordFor(name), values[i], styleOf(name, i)));
    legend.replaceChildren(...(all.size === 0 ? [none] : keys));
    const summary = names.map((name, i) => `${wordFor(name)} ${latest[i]}`).join(", ");
    root.ariaLabel = all.size === 0 ? none : `Curves up to step ${whole.format(extent.last)}: ${summary}`;
  };
  return { root, plot, draw };
}

/** A line through points. A single point is drawn as a dot. */
const pathOf = (points: readonly string[]) =>
  points.length === 0 ? "" : `M${points.join("L")}${points.length === 1 ? "h0" : ""}`;

/** A metric's name and value, with a sample of its line. */
function key(name: string, text: string, style: string): HTMLElement {
  const item = html("span", "curves-key");
  const sample = svg("svg", { viewBox: "0 0 24 4", class: "curves-sample" });
  sample.append(svg("path", { class: `curves-line ${style}`, d: "M1 2H23" }));
  item.append(sample, `${name} `, html("b", "", text));
  return item;
}

function tick(axis: "x" | "y", text: string, side: "left" | "top", share: number): HTMLElement {
  const label = html("span", `curves-tick-${axis}`, text);
  label.style[side] = `${100 * share}%`;
  label.classList.toggle("curves-tick-end", axis === "x" && share > 0.94);
  return label;
}

function html(tag: string, className: string, text = ""): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function svg(tag: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, text] of Object.entries(attributes)) made.setAttribute(name, text);
  return made;
}
