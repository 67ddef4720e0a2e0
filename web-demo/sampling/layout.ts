/** The arrangement of pictures on a sheet, in rows of `columns`. */
export interface Layout {
  readonly count: number;
  readonly columns: number;
  /** The class of each picture, if there are classes. */
  readonly labels?: readonly number[];
  /** The index of each picture's latent. Pictures with the same latent have the same style. */
  readonly latents: readonly number[];
  /** Each row is a class. */
  readonly rowsAreClasses: boolean;
}

/** The maximum number of classes for one row per class, and the minimum number of pictures in such a row. */
const [MOST_ROWS, SHORTEST_ROW] = [20, 4];

/**
 * Arrange the pictures of a sheet. A generator with classes gets one row per class, and every column has one style: the
 * same latent with each class.
 *
 * @param count the approximate number of pictures.
 * @param chosen the only class to draw, if one is selected.
 */
export function layoutOf(count: number, classes?: number, chosen?: number): Layout {
  const across = Math.ceil(Math.sqrt(count));
  const own = (length: number) => Array.from({ length }, (_, i) => i);
  const free = { count, columns: across, latents: own(count), rowsAreClasses: false };
  if (classes === undefined) return free;
  if (chosen !== undefined) return { ...free, labels: own(count).map(() => Math.min(chosen, classes - 1)) };
  const columns = Math.round(count / classes);
  if (classes > MOST_ROWS || columns < SHORTEST_ROW) {
    return { ...free, labels: own(count).map((i) => i % classes) };
  }
  const cells = own(columns * classes);
  return {
    count: cells.length,
    columns,
    labels: cells.map((i) => Math.floor(i / columns)),
    latents: cells.map((i) => i % columns),
    rowsAreClasses: true,
  };
}
