/**
 * `npm run bench`: compares gan-onnx with others, in one table. See README.md.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { GanOnnxError, messageOf } from "../src/error.js";
import { compare, median, type Row } from "./contestant.js";
import { type Options, parseOptions } from "./options.js";
import { ownNetworkComparisons } from "./own-networks.js";
import { stepComparisons } from "./steps.js";
import { formatTable } from "./table.js";
import { useComparisons } from "./uses.js";

interface Measured {
  readonly rows: readonly Row[];
  /** The machine's matrix peak: the median over all rounds. */
  readonly gflops: number;
  /** The load average over the minute before. */
  readonly load: number;
}

/** Run all selected comparisons, one after the other. */
async function measure(options: Options): Promise<Measured> {
  const [load] = loadavg();
  const folder = await mkdtemp(join(tmpdir(), "gan-onnx-bench-"));
  const peaks: number[] = [];
  const place = { folder, options, peak: (gflops: number) => void peaks.push(gflops) };
  const rows: Row[] = [];
  try {
    const all = [...stepComparisons(place), ...ownNetworkComparisons(place), ...useComparisons(place)];
    for (const { what, prepare } of all.filter(({ what }) => options.only.test(what))) {
      const start = performance.now();
      const found = await compare(await prepare(), options.rounds);
      rows.push(...found);
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      process.stderr.write(`${what}, in ${seconds} s: ${found.map(inShort).join(", ")}\n`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { rows, gflops: peaks.length > 0 ? median(peaks) : Number.NaN, load };
}

/** A row in short, for progress messages. */
const inShort = ({ against, ratio, notRun }: Row) => `${against} ${ratio?.toFixed(2) ?? notRun}`;

function machineOf({ threads, rounds, ep }: Options, { gflops, load }: Measured) {
  const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${cpus()[0].model.trim()}, ${cpus().length} cores`,
    ...{ ep, threads, rounds },
    node: process.version,
    onnxruntime: version,
    load: Number(load.toFixed(1)),
    // NaN if no row needed it.
    matrixPeak: Number.isNaN(gflops) ? undefined : Math.round(gflops),
  };
}

function print(options: Options, measured: Measured): void {
  const machine = machineOf(options, measured);
  const { rows } = measured;
  if (options.format === "json") {
    console.log(JSON.stringify({ machine, rows }, null, 2));
    return;
  }
  if (options.format === "markdown") {
    const { date, cpu, ep, threads, rounds, node, onnxruntime, matrixPeak, load } = machine;
    const peak = matrixPeak === undefined ? "" : `; matrix peak ${matrixPeak} GFLOP/s`;
    console.log(
      `${date}, ${cpu}, load before ${load}; \`--ep ${ep}\`, ${threads} threads, Node ${node.slice(1)},`,
    );
    console.log(`onnxruntime-node ${onnxruntime}${peak}; medians of ${rounds} rounds.\n`);
  }
  console.log(formatTable(rows));
}

try {
  const options = parseOptions(process.argv.slice(2));
  // By default, ONNX Runtime and PyTorch may round operands to TF32 (19 bits) on CUDA. Compare float32.
  process.env.NVIDIA_TF32_OVERRIDE = "0";
  print(options, await measure(options));
} catch (error) {
  process.stderr.write(`error: ${messageOf(error)}\n`);
  process.exitCode = error instanceof GanOnnxError && error.kind === "usage" ? 2 : 1;
}
