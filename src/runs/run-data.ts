import { loadParts } from "../data/held-out.node.js";
import { type DataOptions, type Dataset, loadDataset } from "../data/load.node.js";
import { rangeWarning, summaryOf } from "../data/summary.js";
import { GanOnnxError, setting, type Text, text } from "../error.js";
import { recipes, withClasses } from "../recipes/index.js";
import { classesIn } from "../training/batches.js";
import type { Configuration } from "./settings.js";

/** The settings of a run about its data. */
export interface DataSettings
  extends Pick<DataOptions, "seed" | "size" | "channels" | "background" | "strict"> {
  readonly data: string;
  readonly classNames?: readonly string[];
}

/**
 * Load the data of a run, with the names of its classes.
 *
 * @param heldOut whether to hold out some images, for measuring.
 * @throws {@link GanOnnxError} as `loadDataset`; when there is nothing to learn; of kind usage when the number of names
 * does not match.
 */
export async function dataOfRun(
  { data, classNames, ...options }: DataSettings,
  { report, signal, heldOut }: Pick<DataOptions, "report" | "signal"> & { readonly heldOut: boolean },
): Promise<Dataset> {
  const dataset = named(await loaded(data, { ...options, report, signal }, heldOut), data, classNames);
  const warning = rangeWarning(data, summaryOf(dataset));
  return warning ? { ...dataset, remarks: [...(dataset.remarks ?? []), warning] } : dataset;
}

/** A configuration with the number of classes of the data, if its recipe needs one and it has none. */
export function withClassesOf(
  { labels, classNames }: Dataset,
  { run, recipe }: Pick<Configuration, "run" | "recipe">,
): Pick<Configuration, "run" | "recipe"> {
  const classes = labels && classesIn(labels, classNames);
  return { run, recipe: withClasses(recipes[run.recipe], recipe, classes) };
}

async function loaded(data: string, options: DataOptions, apart: boolean): Promise<Dataset> {
  if (!apart) return loadDataset(data, options);
  const { training, heldOut } = await loadParts(data, options);
  return { ...training, heldOut };
}

function named(dataset: Dataset, data: string, classNames: DataSettings["classNames"]): Dataset {
  if (!classNames) return dataset;
  const { labels, classNames: sourceNames } = dataset;
  const refuse = (what: string, fix: Text) =>
    new GanOnnxError({ what, where: setting("data", data), fix, kind: "usage" });
  if (sourceNames && sourceNames.join("\n") !== classNames.join("\n")) {
    throw refuse(
      `its classes are ${sourceNames.join(", ")}, and not ${classNames.join(", ")}`,
      text`leave ${setting("classNames")} out; a run resumes with the classes that it began with`,
    );
  }
  if (!labels) throw refuse("has no labels", text`leave ${setting("classNames")} out`);
  const largest = labels.reduce((most, label) => Math.max(most, label), 0);
  if (largest >= classNames.length) {
    throw refuse(
      `has ${largest + 1} classes`,
      text`name all of them: ${setting("classNames")} has ${classNames.length}`,
    );
  }
  return { ...dataset, classNames };
}
