import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { z } from "zod";
import { readConfigFile } from "./config-file.js";
import { records } from "./json-lines.js";
import { type Provenance, readProvenance } from "./provenance.js";
import { runFiles } from "./run-folder.js";

/** The maximum number of points of a curve, and of sheets of a run, in a report. */
const [POINTS, SHEETS] = [400, 120];

/** Numbers over the course of a run. */
export interface Curve {
  readonly name: string;
  /** In epochs: 1.5 is the middle of the second. */
  readonly points: readonly (readonly [epoch: number, value: number])[];
}

/** The data of a report, read from the folder of a run. */
export interface RunReport {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Epochs with a sheet, and the sheets as PNG. */
  readonly sheets: readonly { readonly epoch: number; readonly png: Uint8Array }[];
  readonly metrics: readonly Curve[];
  readonly scores: readonly Curve[];
  /** The share of each class among samples, after the last epoch with scores. */
  readonly classes?: { readonly epoch: number; readonly shares: readonly number[] };
  readonly warnings: readonly string[];
  /** The origin of the run, if it is recorded. */
  readonly provenance?: Provenance;
}

/**
 * Read the data of a report.
 *
 * @throws {@link GanOnnxError} when the folder contains no config.json.
 */
export async function readReport(folder: string): Promise<RunReport> {
  const files = runFiles(folder);
  const settings = await readConfigFile(files.config);
  const scored = await readScores(files.scores);
  const last = scored.at(-1);
  const classes = scored.findLast((line) => line.classes !== undefined);
  return {
    name: basename(resolve(folder)),
    settings,
    sheets: await sheetsIn(folder),
    metrics: await metricCurves(files.metrics),
    scores: curvesOf(scored.map(({ epoch, scores }) => [epoch, scores])),
    classes: classes?.classes && { epoch: classes.epoch, shares: classes.classes },
    warnings: last?.warnings ?? [],
    provenance: await readProvenance(folder),
  };
}

/** The lines of a run's `scores.jsonl`; none when there is no such file. */
export async function readScores(path: string): Promise<ScoresRecord[]> {
  const found: ScoresRecord[] = [];
  for await (const line of records(path)) found.push(...scoresIn(line));
  return found;
}

/** A line of `scores.jsonl`, if it is one. */
const scoresLine = z.object({
  epoch: z.number(),
  scores: z.record(z.string(), z.number().catch(Number.NaN)),
  classes: z.array(z.number()).optional(),
  warnings: z.array(z.string()).optional(),
});

type ScoresRecord = z.infer<typeof scoresLine>;

function scoresIn(line: unknown): ScoresRecord[] {
  const { data } = scoresLine.safeParse(line);
  return data ? [data] : [];
}

/** Steps of a `metrics.jsonl`, averaged so that a curve has no more than {@link POINTS} points. */
async function metricCurves(path: string): Promise<Curve[]> {
  let [lines, steps] = [0, 1];
  for await (const { iteration } of records(path)) {
    lines++;
    steps = Math.max(steps, numberIn(iteration) || 0);
  }
  const bin = Math.max(1, Math.ceil(lines / POINTS));
  const rows: [number, Record<string, number>][] = [];
  let part: Readonly<Record<string, unknown>>[] = [];
  const end = () => {
    const { epoch, iteration, ...last } = part[part.length - 1];
    const means = Object.keys(last).map((name) => {
      const values = part.map((line) => numberIn(line[name])).filter(Number.isFinite);
      return [name, values.reduce((sum, value) => sum + value, 0) / values.length] as const;
    });
    // A run that is training has more steps now than when they were counted.
    rows.push([numberIn(epoch) - 1 + Math.min(1, numberIn(iteration) / steps), Object.fromEntries(means)]);
    part = [];
  };
  for await (const line of records(path)) {
    part.push(line);
    if (part.length === bin) end();
  }
  if (part.length > 0) end();
  return curvesOf(rows);
}

/** A number of a line, or none: a file may say anything. */
const numberIn = (value: unknown) => (typeof value === "number" ? value : Number.NaN);

function curvesOf(rows: readonly (readonly [number, Readonly<Record<string, number>>])[]): Curve[] {
  const names = [...new Set(rows.flatMap(([, values]) => Object.keys(values)))];
  return names.map((name) => ({
    name,
    points: rows.flatMap(([epoch, values]) =>
      Number.isFinite(epoch) && Number.isFinite(values[name]) ? [[epoch, values[name]] as const] : [],
    ),
  }));
}

async function sheetsIn(folder: string): Promise<RunReport["sheets"]> {
  const files = runFiles(folder);
  const names = await readdir(dirname(files.realImages)).catch(() => []);
  const epochs = names
    .flatMap((name) => name.match(/^fake_images-([1-9]\d{0,8})\.png$/)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  const every = Math.ceil(epochs.length / SHEETS);
  const shown = epochs.filter((_, i) => (epochs.length - 1 - i) % every === 0);
  const sheets = [];
  // One after the other, so that a long run does not need more open files than a short one.
  for (const epoch of shown)
    sheets.push({ epoch, png: new Uint8Array(await readFile(files.fakeImages(epoch))) });
  return sheets;
}
