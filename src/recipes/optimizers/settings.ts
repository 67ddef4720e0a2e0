import { z } from "zod";
import { GanOnnxError } from "../../error.js";
import { type Schedule, scheduleNames, scheduleOf } from "../schedules.js";
import { adam, scaledByAdam } from "./adam.js";
import {
  clippedByGlobalNorm,
  plusDecay,
  plusDecoupledDecay,
  scaledByRate,
  scaledByRootMeanSquare,
  withMomentum,
} from "./parts.js";
import {
  type AdamOptions,
  chain,
  descending,
  type Optimizer,
  type Transformation,
} from "./transformation.js";

/** The settings that only some optimizers have. */
interface Choices {
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weightDecay?: number;
  readonly alpha?: number;
}

interface Row {
  /** The settings that it has in addition to the learning rate. */
  readonly takes: readonly (keyof Choices)[];
  /** From the gradient to the value that is subtracted from the parameters. */
  transformations(settings: AdamOptions & Choices): readonly Transformation[];
}

/** Weight decay and momentum, if they are set. */
const decayed = ({ weightDecay = 0 }: Choices) => (weightDecay > 0 ? [plusDecay(weightDecay)] : []);
const moved = ({ momentum = 0, nesterov }: Choices) =>
  momentum > 0 ? [withMomentum(momentum, { nesterov })] : [];

/** All optimizers, by their name on the command line. Each computes the same as PyTorch's of that name. */
const optimizers = {
  adam: {
    takes: ["weightDecay"],
    transformations: (settings) => [...decayed(settings), scaledByAdam(settings)],
  },
  adamw: {
    takes: ["weightDecay"],
    transformations: (settings) => [
      scaledByAdam(settings),
      plusDecoupledDecay(settings.weightDecay ?? 0.01, settings.learningRate),
    ],
  },
  rmsprop: {
    takes: ["weightDecay", "momentum", "alpha"],
    transformations: (settings) => [
      ...decayed(settings),
      scaledByRootMeanSquare({ alpha: settings.alpha ?? 0.99, epsilon: settings.epsilon }),
      ...moved(settings),
      scaledByRate(settings.learningRate),
    ],
  },
  sgd: {
    takes: ["weightDecay", "momentum", "nesterov"],
    transformations: (settings) => [
      ...decayed(settings),
      ...moved(settings),
      scaledByRate(settings.learningRate),
    ],
  },
} satisfies Record<string, Row>;

type OptimizerName = keyof typeof optimizers;
const optimizerNames = Object.keys(optimizers) as OptimizerName[];

/**
 * The settings of optimizer and schedule, with the defaults of a recipe. A setting without a default of the recipe is
 * stored in a configuration only if it is given.
 */
export const optimizationSettings = (standard: { learningRate: number; beta1: number; beta2: number }) => ({
  learningRate: z.number().positive().default(standard.learningRate).describe("learning rate"),
  beta1: z.number().min(0).lt(1).default(standard.beta1).describe("Adam: decay of the first moment"),
  beta2: z.number().min(0).lt(1).default(standard.beta2).describe("Adam: decay of the second moment"),
  epsilon: z.number().positive().default(1e-8).describe("Adam, RMSprop: added to the denominator"),
  optimizer: z.enum(optimizerNames).optional().describe("optimizer (default: adam)"),
  momentum: z.number().min(0).lt(1).optional().describe("SGD, RMSprop: momentum (default: 0)"),
  nesterov: z.boolean().optional().describe("SGD: Nesterov momentum"),
  alpha: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe("RMSprop: decay of the squared gradient (default: 0.99)"),
  weightDecay: z.number().min(0).optional().describe("weight decay (default: 0; for adamw 0.01)"),
  clipNorm: z
    .number()
    .positive()
    .optional()
    .describe("clip each network's gradient to this norm (default: no limit)"),
  schedule: z.enum(scheduleNames).optional().describe("learning rate schedule (default: constant)"),
  warmupSteps: z
    .int()
    .min(0)
    .optional()
    .describe("steps of linear warm-up of the learning rate (default: 0)"),
});

export type OptimizationSettings = z.infer<z.ZodObject<ReturnType<typeof optimizationSettings>>>;

/**
 * The optimizer and the schedule of a design.
 *
 * @throws {@link GanOnnxError} (usage) when a setting is not one of the optimizer.
 */
export function optimization(settings: OptimizationSettings): { optimizer: Optimizer; schedule?: Schedule } {
  const { optimizer: name = "adam", clipNorm, schedule = "constant", warmupSteps = 0 } = settings;
  const row: Row = optimizers[name];
  checkChoices(name, row, settings);
  const own = row.transformations(settings);
  const clipped = clipNorm === undefined ? [] : [clippedByGlobalNorm(clipNorm)];
  const plain = name === "adam" && own.length === 1 && clipped.length === 0;
  const besides = [
    ...(settings.weightDecay ? ["weight decay"] : []),
    ...(clipNorm === undefined ? [] : ["clipped gradients"]),
  ];
  const called = besides.length > 0 ? `${name} with ${besides.join(" and ")}` : name;
  return {
    optimizer: plain ? adam(settings) : descending(called, chain(...clipped, ...own)),
    schedule: scheduleOf(schedule, warmupSteps),
  };
}

function checkChoices(name: OptimizerName, { takes }: Row, settings: OptimizationSettings): void {
  const refuse = (key: string, what: string, fix: string) =>
    new GanOnnxError({
      what,
      where: `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      fix,
      kind: "usage",
    });
  for (const key of ["momentum", "nesterov", "alpha", "weightDecay"] as const) {
    if (settings[key] === undefined || takes.includes(key)) continue;
    const having = optimizerNames.filter((other) => (optimizers[other] as Row).takes.includes(key));
    throw refuse(
      key,
      `the optimizer ${name} has no such setting`,
      `leave it out, or use ${having.join(" or ")}`,
    );
  }
  if (settings.nesterov && !settings.momentum) {
    throw refuse("nesterov", "there is no momentum", "choose a momentum above 0, or leave it out");
  }
}
