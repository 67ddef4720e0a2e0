import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { mnistForm } from "../src/data/dataset.js";
import { exportNetwork } from "../src/index.js";
import { samplerOf } from "../src/recipes/index.js";
import { drawLatents } from "../src/recipes/latents.js";
import { opensOn, Session } from "../src/runtime/session.node.js";
import { randomStream } from "../src/tensors/random.js";
import { floatsIn } from "../src/tensors/tensor.js";
import type { Comparison, Entrant } from "./contestant.js";
import { drawnImages, writeIdx, writePngs } from "./images.js";
import {
  cli,
  type Flags,
  type Measure,
  ourTraining,
  processOf,
  pythonProcess,
  pytorchTraining,
} from "./processes.js";
import { pytorch } from "./pytorch.js";
import { stepCase, writeCase } from "./step-case.js";
import { aboutColour, type BenchContext, type ColourFlags, colourFlags, type Planned } from "./steps.js";

/** Other costs for users: start, samples and export of the recipe vanilla, and memory, also on colour images. */
export function useComparisons(place: BenchContext): Planned[] {
  const many = place.options.quick ? 100 : 10_000;
  const prepared = once(() => prepare(place));
  const training = (what: string, unit: Comparison["unit"], measure: Measure): Planned => ({
    what,
    prepare: async () =>
      trainings({ what, unit, measure }, { flags: { recipe: "vanilla" }, ...(await prepared()) }, place),
  });
  const colourMemory = (flags: ColourFlags): Planned => {
    const row = { what: `peak memory of training ${aboutColour(flags)}`, unit: "MB" } as const;
    return {
      ...row,
      prepare: async () =>
        trainings(
          { ...row, measure: "peak memory" },
          { flags, ...(await prepareColour(flags, place)) },
          place,
        ),
    };
  };
  const processes = (what: string, ours: readonly string[], theirs: readonly string[]): Planned => ({
    what,
    prepare: async () => {
      const { casePath, run, generator } = await prepared();
      const out = join(place.folder, "out");
      const fill = (args: readonly string[]) =>
        args.map((arg) => ({ RUN: run, GENERATOR: generator, OUT: out })[arg] ?? arg);
      return {
        what,
        unit: "ms",
        ours: processOf("gan-onnx", process.execPath, [cli, ...fill(ours)]),
        others: [pythonProcess(casePath, fill(theirs), place.options)],
      };
    },
  });
  const sampling = (what: string, count: number, times: number): Planned => ({
    what,
    prepare: async () => ({ what, unit: "ms", ...(await samplers(place, count, times)) }),
  });
  return [
    training("start to first step", "ms", "first step"),
    training("peak memory of training", "MB", "peak memory"),
    ...colourFlags.map(colourMemory),
    processes("export, process", ["export", "OUT", "--run", "RUN"], ["export", "OUT"]),
    sampling("1 sample", 1, 200),
    sampling(`${many} samples`, many, 1),
    processes(
      "1 sample, process",
      ["sample", "GENERATOR", "--count", "1", "--out", "OUT"],
      ["sample", "1", "OUT"],
    ),
    processes(
      `${many} samples, process`,
      ["sample", "GENERATOR", "--count", String(many), "--out", "OUT"],
      ["sample", String(many), "OUT"],
    ),
  ];
}

/** What a training process reads: flags and data here, a case and an IDX file in PyTorch. */
interface TrainingFiles {
  readonly flags: Flags;
  readonly data: string;
  readonly idx: string;
  readonly casePath: string;
}

/** Compare training processes. */
function trainings(
  { measure, what, unit }: Pick<Comparison, "what" | "unit"> & { readonly measure: Measure },
  { flags, data, idx, casePath }: TrainingFiles,
  { folder, options }: BenchContext,
): Comparison {
  // Steps on colour images take up to a hundred times as long.
  const steps = options.quick ? 3 : flags.recipe === "vanilla" ? 256 : 12;
  return {
    what,
    unit,
    ours: ourTraining(measure, { data, steps, flags, folder: join(folder, "measured") }, options),
    others: [pytorchTraining(measure, casePath, { data: idx, steps }, options)],
  };
}

/** Write colour images as PNG files and as an IDX file, and a case for Python. */
async function prepareColour(flags: ColourFlags, { folder, options }: BenchContext) {
  const name = `colour-${flags.size}`;
  const work = stepCase(flags, { quick: true });
  const images = drawnImages(work.design.image, options.quick ? 256 : 1024);
  const [data, idx, casePath] = [name, `${name}.idx`, `${name}.safetensors`].map((n) => join(folder, n));
  await writePngs(data, images);
  await writeIdx(idx, images);
  await writeCase(casePath, work, new Map());
  return { data, idx, casePath };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Write images in MNIST's form, a run of one epoch with few of them, its generator, and a case for Python. */
async function prepare({ folder, options }: BenchContext) {
  const [data, few] = ["images", "few-images"].map((name) => join(folder, name));
  const [idx, fewIdx] = [data, few].map((to) => join(to, "train-images-idx3-ubyte"));
  await writeIdx(idx, drawnImages(mnistForm, options.quick ? 1000 : 60_000));
  await writeIdx(fewIdx, drawnImages(mnistForm, 256));
  const [run, generator, casePath] = ["run", "generator.onnx", "uses.safetensors"].map((n) =>
    join(folder, n),
  );
  const execute = promisify(execFile);
  await execute(process.execPath, [
    cli,
    "train",
    "--recipe",
    "vanilla",
    "--data",
    few,
    "--epochs",
    "1",
    "--out",
    run,
  ]);
  await execute(process.execPath, [cli, "export", generator, "--run", run]);
  await writeCase(casePath, stepCase({}, { quick: true }), new Map());
  return { data, idx, run, generator, casePath };
}

/** An exported generator in its session, and PyTorch's generator with the same latents. */
async function samplers({ folder, options }: BenchContext, count: number, times: number) {
  const work = stepCase({}, { quick: true });
  const { design, state } = work;
  const latents = drawLatents(randomStream(0, "samples"), count, samplerOf(design, "bench"));
  const casePath = join(folder, `samples-${count}.safetensors`);
  await writeCase(casePath, work, latents);
  const position = { recipe: "vanilla", seed: 0, epoch: 0, step: 0, images: 0, ...design.image } as const;
  const generator = await exportNetwork(design, { position, state }, "nothing", opensOn({ ep: "cpu" }));
  const { ep, threads } = options;
  const ours: Entrant = {
    name: "gan-onnx",
    async open() {
      const place = { ep, ...(ep === "cpu" && { threads }), cpuNodes: true };
      const session = await Session.open(generator, place, "generator.onnx");
      return {
        name: "gan-onnx",
        async round() {
          const start = performance.now();
          let image: Float32Array | undefined;
          for (let i = 0; i < times; i++) image = floatsIn(await session.run(latents), "image");
          const cost = (performance.now() - start) / times;
          return { cost, metrics: { image: Array.from(image?.subarray(0, 100) ?? []) } };
        },
        close: () => session.close(),
      };
    },
  };
  return { ours, others: [pytorch("eager", casePath, `sample ${count} ${times}`, options)] };
}
