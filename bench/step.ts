/**
 * One training step of a recipe on the CPU beside PyTorch, in rounds that take turns, so that whatever else the machine
 * does meets both; `--no-detach` adds the step without it:
 *
 *     npm run bench -- --python PYTHON_WITH_TORCH [--recipe vanilla] [--compiled] [--no-detach] [--rounds 9]
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { resolveConfig } from "../src/config.js";
import { buildArtifacts, designOf, Session } from "../src/index.js";
import { feedsOfBlock, orderOfEpoch } from "../src/training/batches.js";
import { drawDigits } from "../src/training/data/drawn.js";
import { initialState } from "../src/training/state.js";

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    recipe: { type: "string", default: "vanilla" },
    compiled: { type: "boolean", default: false },
    "no-detach": { type: "boolean", default: false },
    rounds: { type: "string", default: "9" },
    steps: { type: "string", default: "64" },
    batch: { type: "string", default: "128" },
    threads: { type: "string", default: "2" },
  },
});
const [rounds, steps, batchSize, threads] = [values.rounds, values.steps, values.batch, values.threads].map(
  Number,
);

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

const image = { channels: 1, height: 28, width: 28 };
const dataset = { name: "drawn", count: 60_000, ...image, ...drawDigits({ count: 60_000, seed: 0 }) };

/** Something whose steps are timed: milliseconds a step. */
type Contestant = (round: number) => Promise<number>;

/** The training graph, with batches and noise prepared before, as the trainer does while the graph runs. */
async function ours(
  flags: Readonly<Record<string, unknown>>,
): Promise<{ width: unknown; time: Contestant; close(): Promise<void> }> {
  const { run, recipe, flat } = resolveConfig({ recipe: values.recipe, ...flags });
  const design = designOf(run.recipe, recipe, image);
  const { graph, train } = buildArtifacts(design, image, { recipe: run.recipe, configuration: flat });
  const session = await Session.open(train, { ep: "cpu", threads }, "train.onnx");
  await session.setState(initialState(design, 0));
  return {
    width: recipe.width,
    async time(round) {
      const order = orderOfEpoch(0, round, dataset.count);
      const block = { firstStep: 0, steps, batchSize };
      const feeds = feedsOfBlock(graph.batches, dataset, { seed: 0, epoch: round, order }, block, batchSize);
      const start = performance.now();
      await session.run(feeds);
      return (performance.now() - start) / steps;
    },
    close: () => session.close(),
  };
}

const own = await ours({});
const undetached = values["no-detach"] ? await ours({ detach: false }) : undefined;
const contestants: Record<string, Contestant> = { "gan-onnx": own.time };
if (undetached) contestants["gan-onnx --no-detach"] = undetached.time;

const args = [values.recipe, threads, batchSize, own.width].map(String);
const python = values.python ? spawn(values.python, ["bench/pytorch_step.py", ...args]) : undefined;
if (python) {
  python.stderr.pipe(process.stderr);
  const answers = createInterface(python.stdout)[Symbol.asyncIterator]();
  for (const mode of values.compiled ? ["eager", "compiled"] : ["eager"]) {
    contestants[`PyTorch ${mode}`] = async () => {
      python.stdin.write(`${steps} ${mode}\n`);
      return Number((await answers.next()).value);
    };
  }
}

const times = new Map(Object.keys(contestants).map((name) => [name, [] as number[]]));
for (let round = 0; round <= rounds; round++) {
  for (const [name, time] of Object.entries(contestants)) {
    const ms = await time(round + 1);
    if (round > 0) times.get(name)?.push(ms); // round 0 warms up
  }
}
python?.stdin.end();
await Promise.all([own.close(), undetached?.close()]);

const base = median(times.get("gan-onnx") ?? []);
for (const [name, all] of times) {
  const spread = `${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)}`;
  const ratio = (median(all) / base).toFixed(2);
  console.log(
    `${name.padEnd(22)} ${median(all).toFixed(2)} ms a step of ${values.recipe} (${spread}), ${ratio} times gan-onnx`,
  );
}
