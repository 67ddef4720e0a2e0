import type { Argv, Options } from "yargs";
import { z } from "zod";
import { allFields, type Config, type RawSettings, readConfigFile, resolveConfig } from "../config.js";

/** Options of several commands, written once. */
export const common = {
  json: { type: "boolean", describe: "print the result as JSON" },
  run: { type: "string", requiresArg: true, describe: "folder of a run (default: the latest in runs/)" },
  config: { type: "string", requiresArg: true, describe: "JSON file with settings; flags win over it" },
} as const satisfies Record<string, Options>;

/** Every setting of the configuration as a flag; defaults stay with the schema, so that a file can come between. */
export function settingsOptions<T>(argv: Argv<T>, only?: readonly string[]): Argv<T> {
  for (const [key, schema] of Object.entries(allFields())) {
    if (!only || only.includes(key)) argv.option(kebab(key), optionOf(schema));
  }
  return argv;
}

function optionOf(schema: z.ZodType): Options {
  const described = z.toJSONSchema(schema, { io: "input" }) as {
    type?: string;
    enum?: string[];
    default?: unknown;
  };
  const standard = described.default === undefined ? "" : ` (default: ${described.default})`;
  const choices = described.enum ? `: ${described.enum.join(", ")}` : "";
  return {
    type: described.type === "string" ? "string" : described.type === "boolean" ? "boolean" : "number",
    requiresArg: described.type !== "boolean",
    describe: `${schema.description ?? ""}${choices}${standard}`,
  };
}

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The configuration that a command was given: its flags over its `--config` file over the defaults. */
export async function configOf(argv: RawSettings): Promise<Config> {
  const flags = settingsIn(argv);
  if (typeof argv.config !== "string") return resolveConfig(flags);
  return resolveConfig(flags, { path: argv.config, settings: await readConfigFile(argv.config) });
}

/** The settings among the arguments of a command. */
export function settingsIn(argv: RawSettings): RawSettings {
  const keys = Object.keys(allFields());
  return Object.fromEntries(
    Object.entries(argv).filter(([key, value]) => keys.includes(key) && value !== undefined),
  );
}
