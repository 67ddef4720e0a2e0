/** The settings of a sheet in the page's URL, so that a link restores it. */
export interface Settings {
  readonly seed: number;
  readonly count: number;
  /** The class of all images. Without it, all classes in turn. */
  readonly digit?: number;
  /** A model that is shipped with the page. Links cannot refer to other models. */
  readonly model?: string;
  /** The number that is drawn in one style. */
  readonly number?: string;
  /** The first and last picture of the walk, counted from 0. */
  readonly walk?: readonly [from: number, to: number];
}

/** The maximum number of pictures that the page draws without delay. */
export const LARGEST_COUNT = 400;
const STANDARD: Settings = { seed: 0, count: 120 };

/** Read settings from a query such as `?seed=7&count=16`. Invalid parts are ignored. */
export function readSettings(query: string): Settings {
  const given = new URLSearchParams(query);
  const whole = (name: string, least: number, most: number) => {
    const text = given.get(name) ?? "";
    const value = Number(text);
    return /^\d+$/.test(text) && value >= least && value <= most ? value : undefined;
  };
  const ends = /^(\d{1,3})-(\d{1,3})$/.exec(given.get("walk") ?? "");
  return {
    seed: whole("seed", 0, Number.MAX_SAFE_INTEGER) ?? STANDARD.seed,
    count: whole("count", 1, LARGEST_COUNT) ?? STANDARD.count,
    digit: whole("digit", 0, 1e6),
    model: given.get("model") ?? undefined,
    number: /^\d{1,12}$/.exec(given.get("number") ?? "")?.[0],
    walk: ends ? [Number(ends[1]), Number(ends[2])] : undefined,
  };
}

/** The query for {@link readSettings}. */
export function writeSettings({ seed, count, digit, model, number, walk }: Settings): string {
  const query = new URLSearchParams({ seed: String(seed), count: String(count) });
  if (digit !== undefined) query.set("digit", String(digit));
  if (model !== undefined) query.set("model", model);
  if (number !== undefined) query.set("number", number);
  if (walk !== undefined) query.set("walk", walk.join("-"));
  return `?${query}`;
}
