import type { Contestant } from "./plan.js";
import type { Result } from "./run.js";

const columns = [
  ...["recipe", "seeds", "CPU s", "steps", "distance", "of the seeds", "/ floor", "/ vanilla"],
  ...["precision", "recall", "classes", "class as asked"],
];

/** The results as a Markdown table: means over the seeds, and the range of the distances. */
export function qualityTable(contestants: readonly Contestant[], results: readonly Result[]): string {
  const of = (name: string) => results.filter((result) => result.name === name);
  const long = of("vanilla-100-epochs");
  const vanilla = distanceOf(long.length > 0 ? long : of("vanilla"));
  const rows = contestants.flatMap(({ name }) => {
    const own = of(name);
    return own.length > 0 ? [rowOf(name, own, vanilla)] : [];
  });
  const floor = results[0]?.floor;
  const real = floor
    ? [["real images", "", "", "", floor.distance.toFixed(2), "", "1", "", ...sharesOf([floor])]]
    : [];
  const cells = [columns, columns.map(() => "---"), ...real, ...rows];
  return cells.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function rowOf(name: string, results: readonly Result[], vanilla: number): string[] {
  const distances = results.map(({ scores }) => scores.distance);
  const distance = distanceOf(results);
  const floor = meanOf(results.map(({ floor }) => floor.distance));
  return [
    name,
    results.map(({ seed }) => seed).join(", "),
    meanOf(results.map(({ seconds }) => seconds)).toFixed(0),
    meanOf(results.map(({ steps }) => steps)).toFixed(0),
    distance.toPrecision(3),
    distances.map((each) => each.toPrecision(3)).join(", "),
    rounded(distance / floor),
    Number.isNaN(vanilla) ? "" : `1/${rounded(vanilla / distance)}`,
    ...sharesOf(results.map(({ scores }) => scores)),
  ];
}

/** `toPrecision` alone writes 144 as 1.4e+2. */
const rounded = (ratio: number) => (ratio >= 99.5 ? ratio.toFixed(0) : ratio.toPrecision(2));

const distanceOf = (results: readonly Result[]) => meanOf(results.map(({ scores }) => scores.distance));

/** Precision, recall, the smallest and the largest class, and how often the class asked for is drawn. */
function sharesOf(scores: readonly Result["scores"][]): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
  const agreements = scores.flatMap(({ agreement }) => agreement ?? []);
  const shares = scores.flatMap(({ classes }) => classes);
  return [
    percent(meanOf(scores.map(({ precision }) => precision))),
    percent(meanOf(scores.map(({ recall }) => recall))),
    `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))}`,
    agreements.length > 0 ? percent(meanOf(agreements)) : "",
  ];
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0) / numbers.length;
}
