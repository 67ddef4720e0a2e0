import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCheckpoint } from "../../src/runs/checkpoints.js";
import { type Run, workplaceOf } from "../../src/runs/run.js";
import { runFiles } from "../../src/runs/run-folder.js";
import type { Engine } from "../../src/runtime/engine.js";
import { floatsIn, type Tensors, tensorIn } from "../../src/tensors/tensor.js";
import { STEP_STATE, STEPS_STATE } from "../../src/training/names.js";
import { initialState } from "../../src/training/state.js";
import { train } from "../../src/training/trainer.js";
import type { Keeper, Progress } from "../../src/training/training.js";
import { temporaryFolder } from "../data/files.js";
import { tree } from "../helpers/cli.js";
import { someBytes } from "../helpers/dataset.js";
import { tinyArtifacts, tinyDesign, tinyImage } from "../helpers/design.js";

const count = 22;
const dataset = { name: "noise", count, ...tinyImage, images: someBytes(9 * count) };

async function training(
  changes: Partial<Run> = {},
  settings: Parameters<typeof tinyDesign>[0] = {},
): Promise<Run> {
  const design = tinyDesign(settings);
  const { graph, train: model } = tinyArtifacts(design);
  const position = { recipe: "vanilla", seed: 4, epoch: 0, step: 0, images: count, ...tinyImage } as const;
  const folder = await temporaryFolder();
  const start = { position, state: initialState(design, 4) };
  const run = {
    networkFiles: new Map(),
    epochs: 2,
    batchSize: 4,
    stepsPerCall: 2,
    place: { ep: "cpu", threads: 1 } as const,
  };
  return { design, graph, model, dataset, folder, start, ...run, ...changes };
}

const never = new AbortController().signal;

/** Train in a folder, until the end unless told. */
const trained = (run: Run, progress: (progress: Progress) => void = () => {}, signal = never) =>
  train(run, workplaceOf(run, { flat: {} }), progress, signal);

test("a training tells of every step, writes its files and returns its checkpoint", async () => {
  const told: Progress[] = [];
  const run = await training();
  const end = await trained(run, (step) => told.push(step));

  const files = runFiles(run.folder);
  expect(end.position).toMatchObject({ epoch: 2, step: 0 });
  expect(await readCheckpoint(files.checkpoint)).toEqual(end);
  expect(told.map(({ epoch, step }) => [epoch, step])).toEqual(
    [1, 2].flatMap((epoch) => [2, 4, 5, 6].map((step) => [epoch, step])),
  );
  expect(told[0]).toMatchObject({ epochs: 2, stepsInEpoch: 6 });
  expect(tree(run.folder)).toEqual(
    expect.arrayContaining(
      ["real_images.png", "fake_images-1.png", "fake_images-2.png"].map((name) => join("img", name)),
    ),
  );
  const lines = (await readFile(files.metrics, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ epoch, iteration: step }) => [epoch, step])).toEqual(
    [1, 2].flatMap((epoch) => [1, 2, 3, 4, 5, 6].map((step) => [epoch, step])),
  );
  expect(lines).toEqual(
    told.flatMap(({ lines }) =>
      lines.map(({ epoch, step, metrics }) => ({ epoch, iteration: step, ...metrics })),
    ),
  );
});

test("a stopped training tells that no step follows before it saves", async () => {
  const run = await training();
  const place = workplaceOf(run, { flat: {} });
  const told: string[] = [];
  const keeper: Keeper = {
    ...place.keeper,
    lastStep: () => told.push("last step"),
    checkpoint: async () => {
      told.push("saved");
    },
  };
  const stop = new AbortController();
  const step = () => {
    told.push("steps");
    stop.abort();
  };
  await train(run, { ...place, keeper }, step, stop.signal);
  // The call after the first one was on its way.
  expect(told).toEqual(["steps", "steps", "last step", "saved"]);
});

/** Optimizers with all that they can remember, and a learning rate that is another one in every step. */
const scheduled = { schedule: "cosine", warmupSteps: 3, clipNorm: 0.1, learningRate: 0.01 };
test.each([
  {},
  { optimizer: "rmsprop", momentum: 0.5, ...scheduled },
  { optimizer: "adamw", ...scheduled },
  { optimizer: "sgd", momentum: 0.5, nesterov: true, weightDecay: 0.1, ...scheduled },
])("a training that is stopped has saved every step it made: %j", async (settings) => {
  const [stop, stopLonger] = [new AbortController(), new AbortController()];
  const run = await training({ stepsPerCall: 1 }, settings);
  const told: number[] = [];
  const progress = ({ epoch, step }: Progress) => {
    if (epoch === 2) told.push(step);
    if (epoch === 2 && step === 3) stop.abort();
  };
  const stopped = await trained(run, progress, stop.signal);
  // The run that was under way is made, too.
  expect(told).toEqual([1, 2, 3, 4]);
  expect(stopped.position).toMatchObject({ epoch: 1, step: 4 });
  const files = runFiles(run.folder);
  expect(await readCheckpoint(files.checkpoint)).toEqual(stopped);

  const whole = await trained(await training({}, settings));
  expect(await trained({ ...run, start: stopped, stepsPerCall: 64 })).toEqual(whole);
  if (!("schedule" in settings)) return;
  expect([STEP_STATE, STEPS_STATE].map((name) => floatsIn(whole.state, name)[0])).toEqual([12, 12]);
  // The rate goes by how long the training is.
  const longer = await training({ epochs: 3 }, settings);
  const { state } = await trained(
    longer,
    ({ epoch, step }) => {
      if (epoch === 2 && step === 4) stopLonger.abort();
    },
    stopLonger.signal,
  );
  expect([STEP_STATE, STEPS_STATE].map((name) => floatsIn(state, name)[0])).toEqual([11, 18]);
});

test("a training that diverges says where, and keeps the last good checkpoint", async () => {
  const run = await training({ epochs: 3 }, { learningRate: 1e38 });
  await expect(trained(run)).rejects.toThrow(
    /^epoch \d, step \d+, update of the (generator|discriminator): \w+ is (NaN|-?Infinity): the training has diverged; lower learning rate/,
  );
  expect(tree(run.folder).filter((path) => path.endsWith(".tmp"))).toEqual([]);
});

test("a state that its last update has spoilt is not kept, though the metrics before it were numbers", async () => {
  const run = await training();
  const workplace = workplaceOf(run, { flat: {} });
  let asked = 0;
  const openEngine = async (start: Tensors): Promise<Engine> => {
    const engine = await workplace.openEngine(start);
    const getState = async () => {
      const state = await engine.getState();
      asked += 1;
      if (asked === 2) tensorIn(state, "generator/parameters").data[3] = Number.NaN;
      return state;
    };
    return { consume: (feeds) => engine.consume(feeds), close: () => engine.close(), getState };
  };
  const { checkpoint } = runFiles(run.folder);
  await expect(train(run, { ...workplace, openEngine }, () => {}, never)).rejects.toThrow(
    `epoch 2, step 6, update of the generator: a number of generator/parameters is NaN: the training has diverged; lower learning rate; the last good state is in ${checkpoint}`,
  );
  expect((await readCheckpoint(checkpoint)).position).toMatchObject({ epoch: 1, step: 0 });
});

test("a run that came to the folder meanwhile is not overwritten", async () => {
  const run = await training();
  const { config } = runFiles(run.folder);
  await writeFile(config, "another one's");
  await expect(trained(run)).rejects.toThrow(`${run.folder}: already contains a run`);
  expect(await readFile(config, "utf8")).toBe("another one's");
  expect(tree(run.folder)).toEqual(["config.json"]);
});

test("a run that went on meanwhile is not brought back", async () => {
  const run = await training({ epochs: 1 });
  const early = await trained(run);
  const late = await trained({ ...run, epochs: 2, start: early });
  const { checkpoint, metrics } = runFiles(run.folder);
  const before = await readFile(metrics, "utf8");
  await expect(trained({ ...run, epochs: 2, start: early })).rejects.toThrow(
    `${run.folder}: another process has trained it to epoch 2, step 0 meanwhile; resume it again`,
  );
  expect(await readCheckpoint(checkpoint)).toEqual(late);
  expect(await readFile(metrics, "utf8")).toBe(before);
  expect(tree(run.folder).filter((name) => name.endsWith(".lock"))).toEqual([]);
});

test("an epoch whose sheet cannot be written is not counted: going on makes both", async () => {
  const run = await training();
  const files = runFiles(run.folder);
  await mkdir(join(files.fakeImages(2), "taken"), { recursive: true });
  await expect(trained(run)).rejects.toThrow(`${files.fakeImages(2)}: cannot be written`);
  const saved = await readCheckpoint(files.checkpoint);
  expect(saved.position).toMatchObject({ epoch: 1, step: 0 });

  await rm(files.fakeImages(2), { recursive: true });
  const whole = await trained(await training());
  expect(await trained({ ...run, start: saved })).toEqual(whole);
  expect(tree(run.folder)).toContain(join("img", "fake_images-2.png"));
});
