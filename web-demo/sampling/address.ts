/** What the page's address says of its sheet, so that a link brings it back. */
export interface Settings {
  readonly seed: number;
  readonly count: number;
  /** The class of every image; all in turn unless chosen. */
  readonly digit?: number;
  /** One of the models that came with the page, or that were dropped on it, which a link cannot bring back. */
  readonly model?: string;
}

/** As many as the page draws at once without losing its breath. */
export const LARGEST_COUNT = 400;
const STANDARD: Settings = { seed: 0, count: 64 };

/** Settings from a query such as `?seed=7&count=16`; what makes no sense is as if it were not there. */
export function readSettings(query: string): Settings {
  const given = new URLSearchParams(query);
  const whole = (name: string, least: number, most: number) => {
    const text = given.get(name) ?? "";
    const value = Number(text);
    return /^\d+$/.test(text) && value >= least && value <= most ? value : undefined;
  };
  return {
    seed: whole("seed", 0, Number.MAX_SAFE_INTEGER) ?? STANDARD.seed,
    count: whole("count", 1, LARGEST_COUNT) ?? STANDARD.count,
    digit: whole("digit", 0, 1e6),
    model: given.get("model") ?? undefined,
  };
}

/** The query that {@link readSettings} reads as these settings. */
export function writeSettings({ seed, count, digit, model }: Settings): string {
  const query = new URLSearchParams({ seed: String(seed), count: String(count) });
  if (digit !== undefined) query.set("digit", String(digit));
  if (model !== undefined) query.set("model", model);
  return `?${query}`;
}
