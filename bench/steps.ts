import { join } from "node:path";
import { recipeNames } from "../src/recipes/index.js";
import type { Comparison } from "./contestant.js";
import { ourSteps } from "./gan-onnx.js";
import { matrixPeak } from "./matrix-peak.js";
import type { Options } from "./options.js";
import { pytorch, pytorchModes } from "./pytorch.js";
import { stepCase, writeCase } from "./step-case.js";
import { tensorflow } from "./tensorflow.js";

/** A comparison that is not prepared yet. */
export interface Planned {
  /** The first column of its rows. */
  readonly what: string;
  prepare(): Promise<Comparison>;
}

/** The folder of a benchmark's files, and its measurements. */
export interface BenchContext {
  readonly folder: string;
  readonly options: Options;
  /** Receives every measurement of the machine's matrix peak. */
  peak(gflops: number): void;
}

/** Training steps of each recipe, and of vanilla with increasing size. */
export function stepComparisons(place: BenchContext): Planned[] {
  const grown = [
    ...[32, 512, 2048].map((batchSize) => ({ about: `batch ${batchSize}`, flags: { batchSize } })),
    ...[128, 512, 2048].map((width) => ({ about: `width ${width}`, flags: { width } })),
  ];
  return [
    ...recipeNames.map((recipe) => planned(`step ${recipe}`, { recipe }, place, true)),
    ...grown.map(({ about, flags }) => planned(`step vanilla, ${about}`, flags, place, false)),
  ];
}

function planned(
  what: string,
  flags: Readonly<Record<string, unknown>>,
  { folder, options, peak }: BenchContext,
  everybody: boolean,
): Planned {
  return {
    what,
    async prepare() {
      const { ep, threads, quick } = options;
      const work = stepCase(flags, { quick });
      const path = join(folder, `${what.replaceAll(/\W+/g, "-")}.safetensors`);
      await writeCase(path, work, work.feeds);
      const place = { ep, ...(ep === "cpu" && { threads }) };
      const undetached = what === "step vanilla" ? [stepCase({ ...flags, detach: false }, { quick })] : [];
      const modes = everybody ? pytorchModes[ep] : pytorchModes[ep].slice(0, 1);
      return {
        what,
        unit: "ms",
        ours: ourSteps(work, place),
        others: [
          ...modes.map((mode) => pytorch(mode, path, `step ${work.steps}`, options)),
          ...(everybody && ep !== "cuda" ? [tensorflow(path, options)] : []),
          ...undetached.map((other) => ourSteps(other, place, "gan-onnx --no-detach")),
          matrixPeak(work.work, place, peak),
        ],
      };
    },
  };
}
