/** What a sheet shows, in rows of `columns`. */
export interface Layout {
  readonly count: number;
  readonly columns: number;
  /** The class of each picture, where there are classes. */
  readonly labels?: readonly number[];
  /** Which latent each picture is drawn from: pictures of one latent have one style. */
  readonly latents: readonly number[];
  /** Each row is a class. */
  readonly rowsAreClasses: boolean;
}

/** More classes than this are no rows of a sheet, and fewer pictures than this no row. */
const [MOST_ROWS, SHORTEST_ROW] = [20, 4];

/**
 * Where pictures stand on a sheet. A generator with classes gets a row for each, and every column is one style: the
 * same latent, drawn as each class.
 *
 * @param count about how many pictures there are to be.
 * @param chosen the one class to draw, if it is one.
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
