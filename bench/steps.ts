import { join } from "node:path";
import { type RecipeName, recipeNames } from "../src/recipes/index.js";
import type { Comparison } from "./contestant.js";
import { ourSteps } from "./gan-onnx.js";
import { matrixPeak } from "./matrix-peak.js";
import type { Options } from "./options.js";
import { Chromium } from "./page/chromium.js";
import { inPage, type PagePlace, rivals } from "./page/contestants.js";
import { pytorch, pytorchModes } from "./pytorch.js";
import { stepCase, writeCase, writePageCase } from "./step-case.js";

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

/** Trainings on colour images. */
export const colourFlags = [32, 64].map((size) => ({ recipe: "dcgan" as const, size, channels: 3 }));

export type ColourFlags = (typeof colourFlags)[number];

export const aboutColour = ({ recipe, size, channels }: ColourFlags) =>
  `${recipe}, ${size}x${size}x${channels}`;

/** Training steps of each recipe, of vanilla with increasing size, and on colour images. */
export function stepComparisons(place: BenchContext): Planned[] {
  const grown = [
    ...[32, 512, 2048].map((batchSize) => ({ about: `batch ${batchSize}`, flags: { batchSize } })),
    ...[128, 512, 2048].map((width) => ({ about: `width ${width}`, flags: { width } })),
  ];
  const coloured = colourFlags.map((flags) => planned(`step ${aboutColour(flags)}`, flags, place, false));
  return [
    ...recipeNames.map((recipe) => planned(`step ${recipe}`, { recipe }, place, true)),
    ...grown.map(({ about, flags }) => planned(`step vanilla, ${about}`, flags, place, false)),
    ...coloured,
    ...recipeNames.flatMap((recipe) =>
      pagePlaces(place.options).map((where) => pagePlanned(recipe, where, place)),
    ),
  ];
}

/** Where everybody computes in a page: on the CPU with one thread and with two, or on the GPU. */
function pagePlaces({ ep }: Options): readonly PagePlace[] {
  if (ep === "cuda") return [];
  return ep === "webgpu"
    ? [{ backend: "webgpu", threads: 1 }]
    : [1, 2].map((threads) => ({ backend: "wasm", threads }));
}

/** Steps of a recipe in pages of one Chromium, taking turns. */
function pagePlanned(
  recipe: RecipeName,
  where: PagePlace,
  { folder, options: { quick } }: BenchContext,
): Planned {
  const { backend, threads } = where;
  const what = `page, ${recipe}, ${backend === "wasm" ? `${threads} thread${threads === 1 ? "" : "s"}` : backend}`;
  return {
    what,
    async prepare() {
      const work = stepCase({ recipe }, { quick });
      const path = join(folder, `${what.replaceAll(/\W+/g, "-")}.safetensors`);
      await writeCase(path, work, work.feeds);
      await writePageCase(path, work);
      const chromium = new Chromium(folder);
      const [ours, ...others] = [rivals.ours, rivals.jaxjs, rivals.tfjs].map((rival) =>
        inPage(rival, path, where, chromium),
      );
      return { what, unit: "ms", ours, others };
    },
  };
}

const pageOf = ({ ep, threads }: Options): PagePlace => ({
  backend: ep === "webgpu" ? "webgpu" : "wasm",
  threads,
});

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
          ...(everybody && ep !== "cuda"
            ? [inPage(rivals.tfjs, path, pageOf(options), new Chromium(folder))]
            : []),
          ...undetached.map((other) => ourSteps(other, place, "gan-onnx --no-detach")),
          matrixPeak(work.work, place, peak),
        ],
      };
    },
  };
}
