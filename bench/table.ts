import type { Row, Unit } from "./contestant.js";

const columns = ["what", "against", "gan-onnx", "theirs", "ratio", "spread", "differ by"] as const;

/** Format rows as a Markdown table that is also readable as plain text. */
export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map(cellsOf);
  const widths = columns.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i].length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  return [line(columns), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("\n");
}

function cellsOf({ what, against, unit, ours, theirs, ratio, spread, difference, notRun }: Row): string[] {
  return [
    what,
    against,
    amount(ours, unit),
    notRun === undefined ? amount(theirs, unit) : shortened(`not run: ${notRun.replaceAll("|", "/")}`),
    ratio === undefined ? "" : ratio.toFixed(2),
    spread ? spread.map((r) => r.toFixed(2)).join(" to ") : "",
    difference === undefined ? "" : difference.toExponential(0),
  ];
}

/** Shorten a reason to the width of a column. `--json` has the whole text. */
function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

function amount(value: number | undefined, unit: Unit): string {
  if (value === undefined) return "";
  return `${value >= 1000 ? value.toFixed(0) : value.toPrecision(3)} ${unit}`;
}
