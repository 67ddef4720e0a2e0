import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { z } from "zod";
import { GanOnnxError, messageOf } from "../src/error.js";
import { type ProviderName, providerNames } from "../src/runtime/providers.js";

/** What to measure, and how. */
export interface Options {
  readonly ep: ProviderName;
  readonly python?: string;
  readonly threads: number;
  readonly rounds: number;
  /** A smoke test with few steps. The numbers mean nothing. */
  readonly quick: boolean;
  readonly only: RegExp;
  readonly format: "table" | "markdown" | "json";
}

const usage = `npm run bench -- [options]
  --python FILE    a Python with torch, to compare with PyTorch
  --ep EP          ${providerNames.join(", ")} (default: cpu)
  --only PATTERN   rows whose first column matches this regular expression
  --rounds N       rounds whose medians are printed (default: 7)
  --threads N      threads for everybody (default: ${availableParallelism()}, all)
  --quick          few steps and one round: does everything run?
  --markdown       the table under a line on the machine, as in bench/README.md
  --json           one object with the machine and the rows`;

const schema = z.object({
  ep: z.enum(providerNames as readonly [ProviderName, ...ProviderName[]]).default("cpu"),
  python: z.string().optional(),
  threads: z.coerce.number().int().min(1).default(availableParallelism()),
  rounds: z.coerce.number().int().min(1).optional(),
  only: z.string().default(""),
  quick: z.boolean().default(false),
  markdown: z.boolean().default(false),
  json: z.boolean().default(false),
});

/**
 * Parse the command line.
 *
 * @throws {@link GanOnnxError} (usage) when an option is wrong or unknown.
 */
export function parseOptions(args: readonly string[]): Options {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...{ ep: text, python: text, threads: text, rounds: text, only: text },
        ...{ quick: flag, markdown: flag, json: flag },
      },
    });
    const { rounds, only, markdown, json, ...rest } = schema.parse(values);
    return {
      ...rest,
      rounds: rounds ?? (rest.quick ? 1 : 7),
      only: new RegExp(only),
      format: json ? "json" : markdown ? "markdown" : "table",
    };
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const where = issue ? `--${issue.path.join(".")}` : "bench";
    const what = issue?.message ?? messageOf(error);
    throw new GanOnnxError({
      what,
      where,
      fix: `see what there is:\n\n${usage}`,
      kind: "usage",
      cause: error,
    });
  }
}
