import type { Argv, Options } from "yargs";
import { z } from "zod";
import {
  allFields,
  type Config,
  type Field,
  flagOf,
  formerNames,
  type RawSettings,
  renamed,
  resolveConfig,
} from "../config.js";
import { GanOnnxError } from "../error.js";
import { recipeNames, recipes } from "../recipes/index.js";
import { readConfigFile } from "../runs/config-file.js";

/** Options that several commands share. */
export const common = {
  json: { type: "boolean", describe: "print the result as JSON" },
  run: { type: "string", requiresArg: true, describe: "folder of a run (default: the latest in runs/)" },
  config: {
    type: "string",
    requiresArg: true,
    describe: "JSON file with settings; flags override it (default: none)",
  },
} as const satisfies Record<string, Options>;

/**
 * Add a flag for each setting. Defaults are applied by the schema, because a configuration file has priority over them.
 */
export function settingsOptions<T>(argv: Argv<T>, only?: readonly string[]): Argv<T> {
  for (const [key, field] of Object.entries(allFields())) {
    if (only && !only.includes(key)) continue;
    argv.option(flagOf(key).slice(2), optionOf(key, field));
    for (const [former, today] of Object.entries(formerNames)) {
      if (today === key) argv.option(flagOf(former).slice(2), { ...optionOf(key, field), hidden: true });
    }
  }
  return argv;
}

/** The settings that only some recipes have. */
export function recipeSettings(): string[] {
  return Object.entries(allFields()).flatMap(([key, { recipes }]) => (recipes.length > 0 ? [key] : []));
}

/** The settings that may be repeated, as flags. */
export function repeatable(): string[] {
  return Object.entries(allFields())
    .filter(([, { schema }]) => ["object", "array"].includes(jsonSchema(schema).type ?? ""))
    .map(([key]) => flagOf(key));
}

/** The boolean settings, as flags. */
export function switches(): string[] {
  const isSwitch = ([, { schema }]: [string, Field]) => jsonSchema(schema).type === "boolean";
  return Object.entries(allFields())
    .filter(isSwitch)
    .map(([key]) => flagOf(key));
}

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
}

function optionOf(key: string, { schema, recipes: owners }: Field): Options {
  const { type, enum: choices } = jsonSchema(schema);
  if (type === "object") {
    return {
      type: "string",
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: `${schema.description} (default: none)`,
      group: groupOf(owners),
    };
  }
  const flag = type === "string" || type === "boolean" || type === "array" ? type : "number";
  const listed = choices ? `: ${choices.join(", ")}` : "";
  const standard =
    type === "boolean" && jsonSchema(schema).default === undefined
      ? " (default: false)"
      : standardOf(key, schema, owners);
  const [about, own = ""] = (schema.description ?? "").split(/(?= \(default: )/);
  const describe = `${about}${listed}${own || standard}`;
  return { type: flag, requiresArg: flag !== "boolean", describe, group: groupOf(owners) };
}

/** The heading of a setting in the help: its recipes. */
function groupOf(recipes: Field["recipes"]): string {
  if (recipes.length === 0) return "All recipes:";
  const names = recipes.map(({ name }) => name);
  return names.length === recipeNames.length
    ? "Networks and optimizer, all recipes:"
    : `Recipes ${names.join(", ")}:`;
}

function jsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
}

/** The default, or the defaults of all recipes if they differ. */
function standardOf(key: string, schema: z.ZodType, owners: Field["recipes"]): string {
  const own = owners.map(({ name, schema }) => ({
    name,
    standard: recipes[name].usual?.[key] ?? jsonSchema(schema).default,
  }));
  const differ = own.some(({ standard }) => standard !== own[0].standard);
  if (differ)
    return ` (default: ${own.map(({ name, standard }) => `${name} ${standard ?? "none"}`).join(", ")})`;
  const standard = own.length > 0 ? own[0].standard : jsonSchema(schema).default;
  return ` (default: ${standard ?? "none"})`;
}

/** The configuration of a command: flags override its `--config` file, which overrides the defaults. */
export async function configOf(argv: RawSettings): Promise<Config> {
  const flags = settingsIn(argv);
  if (typeof argv.config !== "string") return resolveConfig(flags);
  return resolveConfig(flags, { path: argv.config, settings: await readConfigFile(argv.config) });
}

/** The settings among the arguments of a command. */
export function settingsIn(argv: RawSettings): RawSettings {
  const keys = [...Object.keys(allFields()), ...Object.keys(formerNames)];
  const given = Object.entries(argv).filter(([key, value]) => keys.includes(key) && value !== undefined);
  return renamed(
    Object.fromEntries(given.map(([key, value]) => [key, key === "network" ? pairs(value) : value])),
  );
}

/**
 * Convert repeated `NAME=FILE` to a record.
 *
 * @throws {@link GanOnnxError} when a value has another form.
 */
function pairs(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const entries = value.map((text) => {
    const [, name, file] = /^([\w-]+)=(.+)$/.exec(String(text)) ?? [];
    if (file !== undefined) return [name, file] as const;
    throw new GanOnnxError({
      what: `${JSON.stringify(text)} is not of the form NAME=FILE`,
      where: "--network",
      fix: "write it as in --network generator=g.onnx",
      kind: "usage",
    });
  });
  return Object.fromEntries(entries);
}
