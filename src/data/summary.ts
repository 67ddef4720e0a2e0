import { GanOnnxError, setting, text } from "../error.js";
import type { Dataset } from "./dataset.js";

/** The properties of a data set. */
export interface Summary {
  readonly count: number;
  /** Channels, height, width. */
  readonly form: readonly [number, number, number];
  /** In the order of their numbers. */
  readonly classes?: readonly { readonly name: string; readonly count: number }[];
  /** Over all pixels, 0 to 255. */
  readonly low: number;
  readonly high: number;
  readonly mean: number;
}

/**
 * A data set whose values span less than this fraction of the range is suspicious: e.g. 0 and 1 in files of 0 to 255.
 */
const LEAST_RANGE = 0.02;

export function summaryOf({ count, channels, height, width, images, labels, classNames }: Dataset): Summary {
  const histogram = new Float64Array(256);
  for (let i = 0; i < images.length; i++) histogram[images[i]]++;
  const present = [...histogram.keys()].filter((value) => histogram[value] > 0);
  const sum = histogram.reduce((total, occurrences, value) => total + occurrences * value, 0);
  const [low, high] = [present[0], present[present.length - 1]];
  const about = { count, form: [channels, height, width] as const, low, high, mean: sum / images.length };
  if (!labels) return about;
  const counts = new Float64Array(256);
  for (const label of labels) counts[label]++;
  const largest = counts.findLastIndex((occurrences) => occurrences > 0);
  const length = Math.max(largest + 1, classNames?.length ?? 0);
  const classes = Array.from({ length }, (_, number) => ({
    name: classNames?.[number] ?? String(number),
    count: counts[number],
  }));
  return { ...about, classes };
}

/** Two lines: the number of images, their form and classes, and the range of their values. */
export function describeData(name: string, { count, form, classes, low, high, mean }: Summary): string[] {
  const number = (value: number) => value.toLocaleString("en");
  const most = 12;
  const listed = classes?.slice(0, most).map(({ name, count }) => `${name}: ${number(count)}`);
  const more = classes && classes.length > most ? `, and ${classes.length - most} more` : "";
  const grouped = classes ? `${classes.length} classes (${listed?.join(", ")}${more})` : "no classes";
  const [channels, height, width] = form;
  const colour = channels === 1 ? "grey" : "in colour";
  return [
    `${name}: ${number(count)} images of ${height}x${width} ${colour}, ${grouped}`,
    `values from ${low} to ${high} (of 0 to 255), mean ${mean.toFixed(1)}`,
  ];
}

/**
 * A warning about suspicious values of a data set, in one line; undefined if there is none.
 *
 * @throws {@link GanOnnxError} when all pixels of all images are equal: there is nothing to learn.
 */
export function rangeWarning(name: string, { low, high }: Summary): string | undefined {
  if (low === high) {
    throw new GanOnnxError({
      what: `every pixel of every image is ${low}: there is nothing to learn`,
      where: setting("data", name),
      fix: text`look at the images; of transparent ones ${setting("background")} chooses what is behind them`,
    });
  }
  if (high - low >= LEAST_RANGE * 255) return undefined;
  const share = (((high - low) / 255) * 100).toFixed(1);
  return `warning: the values of ${name} go from ${low} to ${high} only, ${share}% of the range; are they meant to be scaled to 0 to 255?`;
}
