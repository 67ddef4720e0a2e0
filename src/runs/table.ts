import { isDeepStrictEqual } from "node:util";
import { type ListedRun, lastOf, listedRun } from "./list.js";
import { type RunReport, readReport } from "./report-data.js";

/** A run in a table of results. */
export interface Result {
  readonly name: string;
  /** The settings that are not equal in all runs. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly state: ListedRun["state"] | "not begun";
  readonly epoch: number;
  /** The final value of each loss: the mean over the last part of the run's curve. */
  readonly losses: Readonly<Record<string, number>>;
  /** The last value of each score. */
  readonly scores: Readonly<Record<string, number>>;
}

/** A run in a table: its settings, and the data of its report if it has begun. */
export interface TableRun {
  readonly name: string;
  readonly folder: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly report?: RunReport;
}

/**
 * A run for a table.
 *
 * @throws {@link GanOnnxError} when the folder contains no run.
 */
export async function tableRun(folder: string): Promise<TableRun & { readonly report: RunReport }> {
  const report = await readReport(folder);
  return { name: report.name, folder, settings: report.settings, report };
}

/** The results of each run, with the settings that differ. */
export async function resultsOf(runs: readonly TableRun[]): Promise<Result[]> {
  const keys = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))];
  const differ = keys.filter((key) => {
    // The data of a run that has not begun are unknown.
    const comparable = runs.filter(({ settings, report }) => report || settings[key] !== undefined);
    return comparable.some(({ settings }) => !isDeepStrictEqual(settings[key], comparable[0].settings[key]));
  });
  return Promise.all(
    runs.map(async ({ name, folder, settings, report }) => {
      const listed = report && (await listedRun(folder, report));
      const losses = report?.metrics.filter((curve) => /loss/.test(curve.name)) ?? [];
      return {
        name,
        settings: Object.fromEntries(
          differ.flatMap((key) => (settings[key] === undefined ? [] : [[key, settings[key]]])),
        ),
        state: listed?.state ?? "not begun",
        epoch: listed?.epoch ?? 0,
        losses: lastOf(losses),
        scores: listed?.scores ?? {},
      };
    }),
  );
}

/** The results as rows of cells. The first row is the header. Cells without a value are empty. */
export function rowsOf(results: readonly Result[]): string[][] {
  const keysOf = (part: "settings" | "losses" | "scores") => [
    ...new Set(results.flatMap((result) => Object.keys(result[part]))),
  ];
  const [settings, losses, scores] = [keysOf("settings"), keysOf("losses"), keysOf("scores")];
  const text = (value: unknown) => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
  const number = (value: number | undefined) =>
    value === undefined ? "" : String(Number(value.toPrecision(4)));
  return [
    ["run", ...settings, "state", "epoch", ...losses, ...scores],
    ...results.map((result) => [
      result.name,
      ...settings.map((key) => text(result.settings[key])),
      result.state,
      String(result.epoch),
      ...losses.map((key) => number(result.losses[key])),
      ...scores.map((key) => number(result.scores[key])),
    ]),
  ];
}

/** Rows as CSV (RFC 4180). */
export function csvOf(rows: readonly (readonly string[])[]): string {
  const quoted = (cell: string) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return rows.map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}
