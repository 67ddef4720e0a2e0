import type { Dataset } from "./dataset.js";
import { type Picture, paintSheet } from "./sheet.js";

/** The maximum number of images in a row, and of rows in a sheet. */
const [COLUMNS, ROWS] = [12, 12];

/**
 * A sheet of images of a data set: a row for each of its first classes with images, or evenly spaced images if there
 * are no classes. The result is always the same.
 */
export function paintContactSheet(dataset: Dataset): Picture {
  const { count, channels, height, width, images, labels } = dataset;
  const rows = labels ? rowsOfClasses(labels) : [evenly(count, COLUMNS * ROWS)];
  const pixels = channels * height * width;
  const columns = Math.min(COLUMNS, Math.max(...rows.map((row) => row.length)));
  // A class with few images leaves the rest of its row black.
  const places = rows.flatMap((row) =>
    Array.from({ length: Math.ceil(row.length / columns) * columns }, (_, i) => row[i]),
  );
  const shown = new Uint8Array(places.length * pixels);
  places.forEach((place, i) => {
    if (place !== undefined) shown.set(images.subarray(place * pixels, (place + 1) * pixels), i * pixels);
  });
  return paintSheet(shown, { count: places.length, channels, height, width }, { range: [0, 255], columns });
}

function rowsOfClasses(labels: Uint8Array): number[][] {
  const ofClass = new Map<number, number[]>();
  labels.forEach((label, place) => {
    const places = ofClass.get(label) ?? [];
    if (places.length < COLUMNS) places.push(place);
    ofClass.set(label, places);
  });
  return [...ofClass]
    .sort(([a], [b]) => a - b)
    .slice(0, ROWS)
    .map(([, places]) => places);
}

function evenly(count: number, most: number): number[] {
  const length = Math.min(count, most);
  return Array.from({ length }, (_, i) => Math.floor((i * count) / length));
}
