import { z } from "zod";
import { allFields, type RawSettings, resolveConfig } from "../config.js";
import { GanOnnxError } from "../error.js";
import { suggestion } from "../suggest.js";
import { type Random, randomStream } from "../tensors/random.js";
import { refusalOf } from "../wanted.js";

/** The maximum number of runs of a sweep. */
const MOST = 10_000;

const settings = z.record(z.string(), z.unknown());

/** The values of a setting in a random search. */
const distribution = z.object({
  min: z.number().optional(),
  max: z.number().optional(),
  scale: z.enum(["linear", "log"]).optional(),
  choices: z.array(z.unknown()).min(1).optional(),
});

type Distribution = z.infer<typeof distribution>;

const random = z.object({
  count: z.int().min(1).max(MOST),
  seed: z.int().min(0).default(0),
  settings: z.record(z.string(), distribution),
});

const schema = z.object({
  settings: settings.optional(),
  grid: z.record(z.string(), z.array(z.unknown()).min(1)).optional(),
  list: z.array(settings).min(1).optional(),
  random: random.optional(),
});

/** One run of a sweep: its settings, and the position of each setting in the plan. */
export interface PlannedRun {
  readonly settings: RawSettings;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * The runs of a plan, in order. `settings` apply to all runs. `list` has the settings of each run, `random` draws them
 * (Bergstra & Bengio 2012, https://www.jmlr.org/papers/v13/bergstra12a.html), and `grid` has all combinations of its
 * values; the last setting changes first. If a plan has several of these, every entry of one is combined with every
 * entry of the others. The same plan gives the same runs on every machine.
 *
 * @param plan the content of the file, not checked.
 * @param path the file, for messages.
 * @throws {@link GanOnnxError} (usage) when a field or a setting is unknown, wrong, or set twice. The message names
 * file and field.
 */
export function runsOf(plan: unknown, path: string): PlannedRun[] {
  requireKeys(plan, Object.keys(schema.shape), path, "");
  const { random: drawn } = (plan ?? {}) as { random?: unknown };
  if (typeof drawn === "object" && drawn !== null) {
    requireKeys(drawn, Object.keys(random.shape), path, "random");
    for (const [key, from] of entriesOf((drawn as { settings?: unknown }).settings))
      requireKeys(from, Object.keys(distribution.shape), path, `random.settings.${key}`);
  }
  const parsed = schema.safeParse(plan);
  if (!parsed.success) {
    const field = fieldOf(parsed.error.issues[0].path);
    throw refused(path, field, refusalOf(parsed.error, schema, plan));
  }
  const { settings: common = {}, grid = {}, list, random: draws } = parsed.data;
  if (!list && !draws && Object.keys(grid).length === 0) {
    throw new GanOnnxError({
      what: "has no grid, no list and no random, so there is nothing to run",
      where: path,
      fix: 'add for example "grid": {"seed": [0, 1, 2]}',
      kind: "usage",
    });
  }
  const parts = [list && listed(list), draws && drawnFrom(draws, path), combined(grid)];
  const runs = parts.reduce<PlannedRun[]>(
    (before, part) => (part ? before.flatMap((run) => part.map((more) => joined(run, more, path))) : before),
    [named(common, (key) => `settings.${key}`)],
  );
  if (runs.length > MOST) throw refused(path, "plan", `has ${runs.length} runs; the most is ${MOST}`);
  for (const run of runs)
    resolveConfig({}, { path, settings: run.settings, field: (key) => fieldIn(run, key) ?? key });
  return runs;
}

const fieldIn = ({ fields }: PlannedRun, key: string): string | undefined =>
  Object.hasOwn(fields, key) ? fields[key] : undefined;

const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === "object" && value !== null ? Object.entries(value) : [];

/** Format `["list", 2, "seed"]` as `list[2].seed`. */
function fieldOf(path: readonly PropertyKey[]): string {
  const text = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return text.replace(/^\./, "");
}

function refused(path: string, field: string, what: string, fix = "correct the plan"): GanOnnxError {
  return new GanOnnxError({ what, where: field ? `${path}: ${field}` : path, fix, kind: "usage" });
}

/** Check that an object has no other keys. */
function requireKeys(value: unknown, known: readonly string[], path: string, field: string): void {
  if (Array.isArray(value)) throw refused(path, field, "needs an object, not a list");
  for (const [key] of entriesOf(value)) {
    if (known.includes(key)) continue;
    const similar = suggestion(key, known);
    throw refused(
      path,
      field ? `${field}.${key}` : key,
      "is not a field of a plan here",
      similar ? `did you mean ${similar}?` : `use some of ${known.join(", ")}`,
    );
  }
}

/** Settings with the name of their field in the plan. */
function named(settings: RawSettings, field: (key: string) => string): PlannedRun {
  const fields = Object.fromEntries(Object.keys(settings).map((key) => [key, field(key)]));
  return { settings, fields };
}

/** Add settings to a run. Settings of all runs may be replaced; others must not be set twice. */
function joined(run: PlannedRun, more: PlannedRun, path: string): PlannedRun {
  for (const key of Object.keys(more.settings)) {
    const before = fieldIn(run, key);
    if (before === undefined || before.startsWith("settings.")) continue;
    throw refused(path, fieldIn(more, key) ?? key, `is set by ${before} already`, "set it in one of them");
  }
  return {
    settings: { ...run.settings, ...more.settings },
    fields: { ...run.fields, ...more.fields },
  };
}

const listed = (list: readonly RawSettings[]) =>
  list.map((settings, i) => named(settings, (key) => `list[${i}].${key}`));

function combined(grid: Readonly<Record<string, readonly unknown[]>>): PlannedRun[] {
  return Object.entries(grid).reduce<PlannedRun[]>(
    (runs, [key, values]) => {
      if (runs.length * values.length > MOST) return runs.concat(new Array(MOST).fill(runs[0]));
      return runs.flatMap(({ settings, fields }) =>
        values.map((value, i) => ({
          settings: { ...settings, [key]: value },
          fields: { ...fields, [key]: `grid.${key}[${i}]` },
        })),
      );
    },
    [{ settings: {}, fields: {} }],
  );
}

function drawnFrom({ count, seed, settings }: z.infer<typeof random>, path: string): PlannedRun[] {
  const field = (key: string) => `random.settings.${key}`;
  const draws = Object.entries(settings).map(([key, from]) => {
    return [key, drawOf(from, key, (what) => refused(path, field(key), what))] as const;
  });
  // Each setting has its own random stream: adding a setting does not change the values of the others.
  return Array.from({ length: count }, (_, i) =>
    named(
      Object.fromEntries(draws.map(([key, draw]) => [key, draw(randomStream(seed, "sweep", key, i))])),
      field,
    ),
  );
}

function drawOf(
  { min, max, scale = "linear", choices }: Distribution,
  key: string,
  error: (what: string) => GanOnnxError,
): (stream: Random) => unknown {
  if (choices) {
    if (min !== undefined || max !== undefined) throw error("has choices and a range; use one of them");
    return (stream) => choices[stream.below(choices.length)];
  }
  if (min === undefined || max === undefined) throw error("needs min and max, or choices");
  if (min > max) throw error(`has a min of ${min} above its max of ${max}`);
  if (scale === "log" && min <= 0) throw error("needs a min above 0 for the scale log");
  const whole = isWhole(key);
  // Each whole number gets an interval of the same length, so that the bounds are as likely as the other numbers.
  const [from, to] = whole ? [min - 0.5, max + 0.5] : [min, max];
  const between =
    scale === "log"
      ? (u: number) => Math.exp(Math.log(Math.max(from, min / 2)) * (1 - u) + Math.log(to) * u)
      : (u: number) => from + (to - from) * u;
  const clipped = (value: number) => Math.min(max, Math.max(min, value));
  return (stream) => {
    const value = between(stream.uniform());
    return clipped(whole ? Math.round(value) : Number(value.toPrecision(6)));
  };
}

/** Whether a setting is a whole number. */
function isWhole(key: string): boolean {
  const field = allFields()[key];
  return (
    field !== undefined &&
    (z.toJSONSchema(field.schema, { io: "input" }) as { type?: string }).type === "integer"
  );
}
