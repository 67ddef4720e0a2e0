/**
 * `npm run bench`: gan-onnx beside others, in one table. See README.md.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { compare, median, type Row } from "./contestant.js";
import { type Options, parseOptions } from "./options.js";
import { stepComparisons } from "./steps.js";
import { formatTable } from "./table.js";
import { useComparisons } from "./uses.js";

/** Everything that the options ask for, one comparison after the other. */
async function measure(options: Options): Promise<{ rows: Row[]; gflops: number }> {
  const folder = await mkdtemp(join(tmpdir(), "gan-onnx-bench-"));
  const peaks: number[] = [];
  const place = { folder, options, peak: (gflops: number) => void peaks.push(gflops) };
  const rows: Row[] = [];
  try {
    const all = [...stepComparisons(place), ...useComparisons(place)];
    for (const { what, prepare } of all.filter(({ what }) => options.only.test(what))) {
      const start = performance.now();
      rows.push(...(await compare(await prepare(), options.rounds)));
      process.stderr.write(`${what}: ${((performance.now() - start) / 1000).toFixed(0)} s\n`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { rows, gflops: peaks.length > 0 ? median(peaks) : Number.NaN };
}

function machineOf({ threads, rounds, ep }: Options, gflops: number) {
  const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${cpus()[0].model.trim()}, ${cpus().length} cores`,
    ...{ ep, threads, rounds },
    node: process.version,
    onnxruntime: version,
    // Not a number where no row needed it.
    matrixPeak: Number.isNaN(gflops) ? undefined : Math.round(gflops),
  };
}

function print(options: Options, { rows, gflops }: { rows: Row[]; gflops: number }): void {
  const machine = machineOf(options, gflops);
  if (options.format === "json") {
    console.log(JSON.stringify({ machine, rows }, null, 2));
    return;
  }
  if (options.format === "markdown") {
    const { date, cpu, ep, threads, rounds, node, onnxruntime, matrixPeak } = machine;
    const peak = matrixPeak === undefined ? "" : `; matrix peak ${matrixPeak} GFLOP/s`;
    console.log(`${date}, ${cpu}, \`--ep ${ep}\`, ${threads} threads; Node ${node.slice(1)},`);
    console.log(`onnxruntime-node ${onnxruntime}${peak}; medians of ${rounds} rounds.\n`);
  }
  console.log(formatTable(rows));
}

const options = parseOptions(process.argv.slice(2));
if (!options) {
  process.exitCode = 2;
} else {
  // On CUDA both ONNX Runtime and PyTorch may round operands to 19 bits (TF32) unless told: float32 is compared.
  process.env.NVIDIA_TF32_OVERRIDE = "0";
  print(options, await measure(options));
}
