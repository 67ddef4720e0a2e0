import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { drawDigits } from "../src/data/drawn.js";
import { exportNetwork } from "../src/index.js";
import { samplerOf } from "../src/recipes/index.js";
import { drawLatents } from "../src/recipes/latents.js";
import { opensOn, Session } from "../src/runtime/session.node.js";
import { randomStream } from "../src/tensors/random.js";
import { floatsIn } from "../src/tensors/tensor.js";
import type { Comparison, Entrant } from "./contestant.js";
import { cli, type Measure, ourTraining, processOf, pythonProcess, pytorchTraining } from "./processes.js";
import { pytorch } from "./pytorch.js";
import { mnistShape, stepCase, writeCase } from "./step-case.js";
import type { BenchContext, Planned } from "./steps.js";

/** Other costs for users of the recipe vanilla: start, samples, export, memory. */
export function useComparisons(place: BenchContext): Planned[] {
  const many = place.options.quick ? 100 : 10_000;
  const prepared = once(() => prepare(place));
  const training = (what: string, unit: Comparison["unit"], measure: Measure): Planned => ({
    what,
    prepare: async () => {
      const { data, casePath } = await prepared();
      const { options } = place;
      const steps = options.quick ? 3 : 256;
      return {
        what,
        unit,
        ours: ourTraining(measure, { data, steps, folder: join(place.folder, "measured") }, options),
        others: [pytorchTraining(measure, casePath, { data, steps }, options)],
      };
    },
  });
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
  await writeIdx(data, options.quick ? 1000 : 60_000);
  await writeIdx(few, 256);
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
  return { data, run, generator, casePath };
}

async function writeIdx(folder: string, count: number): Promise<void> {
  const { images } = drawDigits({ count, seed: 0 });
  const { height, width } = mnistShape;
  const header = Buffer.from([0, 0, 8, 3]);
  const sizes = Buffer.alloc(12);
  [count, height, width].forEach((size, i) => {
    sizes.writeUInt32BE(size, 4 * i);
  });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "train-images-idx3-ubyte"), Buffer.concat([header, sizes, images]));
}

/** An exported generator in its session, and PyTorch's generator with the same latents. */
async function samplers({ folder, options }: BenchContext, count: number, times: number) {
  const work = stepCase({}, { quick: true });
  const { design, state } = work;
  const latents = drawLatents(randomStream(0, "samples"), count, samplerOf(design, "bench"));
  const casePath = join(folder, `samples-${count}.safetensors`);
  await writeCase(casePath, work, latents);
  const position = { recipe: "vanilla", seed: 0, epoch: 0, step: 0, images: 0, ...mnistShape } as const;
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
