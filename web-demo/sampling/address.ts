/** What the page's address says of its sheet, so that a link brings it back. */
export interface Settings {
  readonly seed: number;
  readonly count: number;
  /** The class of every image; all in turn unless chosen. */
  readonly digit?: number;
  /** One of the models that came with the page; a link cannot bring any other. */
  readonly model?: string;
  /** The number that is drawn in one hand. */
  readonly number?: string;
  /** The pictures that the walk goes between, counted from 0. */
  readonly walk?: readonly [from: number, to: number];
}

/** As many as the page draws at once without losing its breath. */
export const LARGEST_COUNT = 400;
const STANDARD: Settings = { seed: 0, count: 120 };

/** Settings from a query such as `?seed=7&count=16`; what makes no sense is as if it were not there. */
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

/** The query that {@link readSettings} reads as these settings. */
export function writeSettings({ seed, count, digit, model, number, walk }: Settings): string {
  const query = new URLSearchParams({ seed: String(seed), count: String(count) });
  if (digit !== undefined) query.set("digit", String(digit));
  if (model !== undefined) query.set("model", model);
  if (number !== undefined) query.set("number", number);
  if (walk !== undefined) query.set("walk", walk.join("-"));
  return `?${query}`;
}
