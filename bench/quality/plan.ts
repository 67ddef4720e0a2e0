import { parseArgs } from "node:util";
import { z } from "zod";
import { GanOnnxError, messageOf } from "../../src/error.js";

/** A way to train, with a name in the table. */
export interface Contestant {
  readonly name: string;
  /** Arguments of `gan-onnx train`, without data, seed, epochs and folder. */
  readonly args: readonly string[];
  /**
   * Its schedule or its stages depend on the number of all steps, so it gets as many epochs as fit the budget. Any other
   * training is interrupted when the budget is spent.
   */
  readonly planned?: boolean;
  /** Train this number of epochs with the first seed alone, whatever time they take: what the others are held against. */
  readonly epochs?: number;
}

const batches64 = ["--batch-size", "64"];
const told = ["--classes", "10"];

/** In the order of importance: whoever has little time gets the first ones. */
export const contestants: readonly Contestant[] = [
  { name: "vae-gan", args: ["--recipe", "vae-gan"], planned: true },
  { name: "vae-gan-unconditional", args: ["--recipe", "vae-gan", "--classes", "1"], planned: true },
  {
    name: "conditional",
    args: ["--recipe", "conditional", "--ema", "0.99"],
  },
  { name: "dcgan", args: ["--recipe", "dcgan", "--ema", "0.99"] },
  { name: "r3gan", args: ["--recipe", "r3gan", ...told, ...batches64] },
  { name: "flow", args: ["--recipe", "flow", ...told, ...batches64] },
  { name: "latent-flow", args: ["--recipe", "latent-flow"], planned: true },
  { name: "wgan-gp", args: ["--recipe", "wgan-gp"] },
  { name: "vae", args: ["--recipe", "vae"] },
  { name: "vanilla", args: ["--recipe", "vanilla"] },
  {
    name: "conditional-projection",
    args: [
      ...["--recipe", "conditional", "--projection", "--spectral-norm", "--loss", "hinge"],
      ...["--ema", "0.99"],
    ],
  },
  { name: "vanilla-100-epochs", args: ["--recipe", "vanilla"], epochs: 100 },
];

export interface Options {
  /** CPU seconds for each training, of a process with one thread on one core. */
  readonly seconds: number;
  readonly seeds: readonly number[];
  readonly recipes: readonly Contestant[];
  readonly data: string;
  readonly samples: number;
  /** The cores to use; as many trainings at the same time. */
  readonly cores: readonly number[];
  /** The folder for runs and results. */
  readonly out: string;
  /** Begin no training after this number of seconds. */
  readonly stopAfter: number;
  readonly tableOnly: boolean;
}

const usage = `npm run quality -- [options]
  --seconds N      CPU seconds for each training (default: 170)
  --seeds A,B      random seeds (default: 0,1,2)
  --recipes A,B    some of ${contestants.map(({ name }) => name).join(",")} (default: all, in this order)
  --data DATA      as in gan-onnx train (default: mnist)
  --samples N      samples for each score (default: 10000)
  --cores A,B      cores; as many trainings at the same time (default: 0)
  --out FOLDER     runs and results; results that are there are not made again (default: quality)
  --stop-after N   begin no training after N seconds (default: never)
  --table          print the table of the results that are there, and train nothing`;

const list = z.string().transform((text) => text.split(","));
const numbers = list.transform((parts) => parts.map(Number)).pipe(z.array(z.int().min(0)).min(1));
const schema = z.object({
  seconds: z.coerce.number().positive().default(170),
  seeds: numbers.default([0, 1, 2]),
  recipes: list
    .transform((names, context) =>
      names.flatMap((name) => {
        const found = contestants.find((one) => one.name === name);
        if (!found) context.addIssue({ code: "custom", message: `there is no ${name}` });
        return found ?? [];
      }),
    )
    .default([...contestants]),
  data: z.string().default("mnist"),
  samples: z.coerce.number().int().min(10).default(10_000),
  cores: numbers.default([0]),
  out: z.string().default("quality"),
  "stop-after": z.coerce.number().positive().default(Number.POSITIVE_INFINITY),
  table: z.boolean().default(false),
});

/**
 * Parse the command line.
 *
 * @throws {@link GanOnnxError} (usage) when an option is wrong or unknown.
 */
export function parseOptions(args: readonly string[]): Options {
  try {
    const names = Object.keys(schema.shape);
    const { values } = parseArgs({
      args: [...args],
      options: Object.fromEntries(
        names.map((name) => [name, { type: name === "table" ? ("boolean" as const) : ("string" as const) }]),
      ),
    });
    const { "stop-after": stopAfter, table: tableOnly, ...rest } = schema.parse(values);
    return { ...rest, stopAfter, tableOnly };
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    throw new GanOnnxError({
      what: issue?.message ?? messageOf(error),
      where: issue ? `--${issue.path[0].toString()}` : "quality",
      fix: `see what there is:\n\n${usage}`,
      kind: "usage",
      cause: error,
    });
  }
}
