import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { jsonIn } from "../json.js";
import { readConfigFile } from "./config-file.js";
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

interface ScoresRecord {
  readonly epoch: number;
  readonly scores: Readonly<Record<string, number>>;
  readonly classes?: readonly number[];
  readonly warnings?: readonly string[];
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
    metrics: metricCurves(await records(files.metrics)),
    scores: curvesOf(scored.map(({ epoch, scores }) => [epoch, scores])),
    classes: classes?.classes && { epoch: classes.epoch, shares: classes.classes },
    warnings: last?.warnings ?? [],
    provenance: await readProvenance(folder),
  };
}

/** The objects in a file of JSON lines. The last line may be incomplete. */
async function records(path: string): Promise<Readonly<Record<string, unknown>>[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const value = jsonIn(line);
    return typeof value === "object" && value !== null ? [value as Record<string, unknown>] : [];
  });
}

/** The lines of a run's `scores.jsonl`; empty if there is no such file. */
export async function readScores(path: string): Promise<ScoresRecord[]> {
  return (await records(path)).flatMap(scoresIn);
}

function scoresIn(line: unknown): ScoresRecord[] {
  const { epoch, scores } = line as Partial<ScoresRecord>;
  return typeof epoch === "number" && typeof scores === "object" ? [line as ScoresRecord] : [];
}

/** Average the steps of `metrics.jsonl`, so that a curve has at most {@link POINTS} points. */
function metricCurves(lines: readonly Readonly<Record<string, unknown>>[]): Curve[] {
  const steps = lines.reduce((most, { iteration }) => Math.max(most, Number(iteration) || 0), 1);
  const bin = Math.max(1, Math.ceil(lines.length / POINTS));
  const rows: [number, Record<string, number>][] = [];
  for (let first = 0; first < lines.length; first += bin) {
    const part = lines.slice(first, first + bin);
    const { epoch, iteration, ...last } = part[part.length - 1];
    const means = Object.keys(last).map((name) => {
      const values = part.map((line) => Number(line[name])).filter(Number.isFinite);
      return [name, values.reduce((sum, value) => sum + value, 0) / values.length] as const;
    });
    rows.push([Number(epoch) - 1 + Number(iteration) / steps, Object.fromEntries(means)]);
  }
  return curvesOf(rows);
}

function curvesOf(rows: readonly (readonly [number, Readonly<Record<string, number>>])[]): Curve[] {
  const names = [...new Set(rows.flatMap(([, values]) => Object.keys(values)))];
  return names.map((name) => ({
    name,
    points: rows.flatMap(([epoch, values]) =>
      Number.isFinite(values[name]) ? [[epoch, values[name]] as const] : [],
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
  return Promise.all(
    shown.map(async (epoch) => ({ epoch, png: new Uint8Array(await readFile(files.fakeImages(epoch))) })),
  );
}
