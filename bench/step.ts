/**
 * One training step of `vanilla` on the CPU beside PyTorch, in rounds that take turns, so that whatever else the
 * machine does meets both:
 *
 *     npm run bench -- --python PATH_OF_A_PYTHON_WITH_TORCH [--compiled] [--rounds 9] [--batch 128] [--width 256]
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { buildArtifacts, designOf, Session } from "../src/index.js";
import { feedsOfBlock, orderOfEpoch } from "../src/training/batches.js";
import { drawDigits } from "../src/training/data/drawn.js";
import { initialState } from "../src/training/state.js";

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    compiled: { type: "boolean", default: false },
    rounds: { type: "string", default: "9" },
    steps: { type: "string", default: "64" },
    batch: { type: "string", default: "128" },
    width: { type: "string", default: "256" },
    threads: { type: "string", default: "2" },
  },
});
const [rounds, steps, batchSize, width, threads] = [
  values.rounds,
  values.steps,
  values.batch,
  values.width,
  values.threads,
].map(Number);

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

const image = { channels: 1, height: 28, width: 28 };
const dataset = { name: "drawn", count: 8192, ...image, ...drawDigits({ count: 8192, seed: 0 }) };
const settings = {
  latent: 100,
  width,
  depth: 2,
  learningRate: 3e-4,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
};
const design = designOf("vanilla", settings, image);
const { graph, train } = buildArtifacts(design, image, { recipe: "vanilla", configuration: settings });
const session = await Session.open(train, { ep: "cpu", threads }, "train.onnx");
await session.setState(initialState(design, 0));

/** Milliseconds a step, with batches and noise prepared before, as the trainer does while the graph runs. */
async function ours(epoch: number): Promise<number> {
  const order = orderOfEpoch(0, epoch, dataset.count);
  const block = { firstStep: 0, steps, batchSize };
  const feeds = feedsOfBlock(graph.batches, dataset, { seed: 0, epoch, order }, block, batchSize);
  const start = performance.now();
  await session.run(feeds);
  return (performance.now() - start) / steps;
}

const python = values.python
  ? spawn(values.python, ["bench/pytorch_step.py", String(threads), String(batchSize), String(width)])
  : undefined;
python?.stderr.pipe(process.stderr);
const answers = python && createInterface(python.stdout)[Symbol.asyncIterator]();

async function theirs(mode: string): Promise<number> {
  python?.stdin.write(`${steps} ${mode}\n`);
  return Number((await answers?.next())?.value);
}

const modes = python ? ["eager", ...(values.compiled ? ["compiled"] : [])] : [];
const times: Record<string, number[]> = {
  "gan-onnx": [],
  ...Object.fromEntries(modes.map((mode) => [mode, []])),
};
for (let round = 0; round <= rounds; round++) {
  const taken = { "gan-onnx": await ours(round + 1) } as Record<string, number>;
  for (const mode of modes) taken[mode] = await theirs(mode);
  if (round > 0) for (const [name, ms] of Object.entries(taken)) times[name].push(ms); // round 0 warms up
}
python?.stdin.end();
await session.close();

const own = median(times["gan-onnx"]);
for (const [name, all] of Object.entries(times)) {
  const label = name === "gan-onnx" ? name : `PyTorch ${name}`;
  console.log(
    `${label.padEnd(18)} ${median(all).toFixed(2)} ms a step (${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)}), ` +
      `${(median(all) / own).toFixed(2)} times gan-onnx`,
  );
}
