import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { resolveConfig } from "../../src/config.js";
import { readCheckpoint } from "../../src/runs/checkpoints.js";
import { trainWithRollbacks } from "../../src/runs/rollback.js";
import { prepareRun, workplaceOf } from "../../src/runs/run.js";
import { runFiles } from "../../src/runs/run-folder.js";
import type { Engine } from "../../src/runtime/engine.js";
import { tensorIn } from "../../src/tensors/tensor.js";
import { train } from "../../src/training/trainer.js";
import { runCli, succeed } from "../helpers/cli.js";
import { trainingPlace } from "../helpers/runs.js";

const { cwd, train: training, contentOf, remove } = await trainingPlace();
afterAll(remove);

const changesOf = async (out: string) =>
  (await readFile(join(cwd, out, "changes.jsonl"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("a run that diverges at every rate goes back three times, says so, and stops", async () => {
  const args = training("hopeless", 1, ["--learning-rate", "1e30", "--on-nan", "rollback"]);
  const { code, stderr } = await runCli(args, { cwd });
  expect(code).toBe(1);
  const said = stderr.split("\n").filter((line) => line.startsWith("rollback"));
  expect(said).toHaveLength(3);
  expect(said[1]).toMatch(
    /^rollback 2 of 3: \w+ is \S+ in epoch 1, step \d+, update of the \w+; back to epoch 0, step 0; learningRate 5e\+29 to 2\.5e\+29$/,
  );
  expect(stderr).toMatch(/^error: epoch 1, step \d+, update of the \w+: .* the training has diverged/m);
  const changes = await changesOf("hopeless");
  expect(changes).toHaveLength(3);
  expect(changes[2]).toMatchObject({
    epoch: 0,
    step: 0,
    changes: { learningRate: { from: 2.5e29, to: 1.25e29 } },
    diverged: { epoch: 1 },
  });
  const { stdout } = await succeed(["runs", ".", "--json"], { cwd });
  expect(JSON.parse(stdout)).toMatchObject([{ run: "hopeless", state: "diverged" }]);
});

test("what follows a rollback is what resuming with half the rate makes of the same checkpoint, byte for byte", async () => {
  const folder = join(cwd, "cured");
  const settings = { data: join(cwd, "data"), batchSize: 16, latent: 4, width: 8, seed: 7, stepsPerCall: 64 };
  const configuration = resolveConfig({ ...settings, epochs: 3, onNan: "rollback" });
  const never = new AbortController().signal;
  const run = await prepareRun(configuration, { folder, report: () => {}, signal: never });
  const said: string[] = [];
  let attempts = 0;
  await trainWithRollbacks(
    { run, configuration, changes: {} },
    async (attempt, hear) => {
      attempts++;
      const workplace = hear(workplaceOf(attempt.run, { ...attempt.configuration, ...attempt }));
      if (attempts > 1) await cp(folder, `${folder} at the rollback`, { recursive: true });
      // The first attempt ends with the second epoch's state.
      let asked = attempts > 1 ? 2 : 0;
      const openEngine = async (start: Parameters<typeof workplace.openEngine>[0]): Promise<Engine> => {
        const engine = await workplace.openEngine(start);
        const getState = async () => {
          const state = await engine.getState();
          asked++;
          if (asked === 2) tensorIn(state, "discriminator/parameters").data[1] = Number.POSITIVE_INFINITY;
          return state;
        };
        return { consume: (feeds) => engine.consume(feeds), close: () => engine.close(), getState };
      };
      return train(attempt.run, { ...workplace, openEngine }, () => {}, never);
    },
    (line) => said.push(line),
  );
  expect(attempts).toBe(2);
  expect(said).toEqual([
    "rollback 1 of 3: a number of discriminator/parameters is Infinity in epoch 2, step 29, update of the discriminator; " +
      "back to epoch 1, step 0; learningRate 0.0003 to 0.00015",
  ]);
  expect((await readCheckpoint(runFiles(folder).checkpoint)).position).toMatchObject({ epoch: 3, step: 0 });
  expect(JSON.parse(await readFile(runFiles(folder).config, "utf8"))).toMatchObject({
    learningRate: 0.00015,
  });

  const resume = ["train", "--resume", "--out", "cured at the rollback", "--learning-rate", "0.00015"];
  await succeed(resume, { cwd });
  const { "changes.jsonl": ours, ...cured } = await contentOf("cured");
  const { "changes.jsonl": theirs, ...resumed } = await contentOf("cured at the rollback");
  expect(cured).toEqual(resumed);
  expect(ours).not.toBe(theirs);
  const [changed] = await changesOf("cured at the rollback");
  const recorded = { epoch: 2, step: 29, phase: "discriminator" };
  expect(await changesOf("cured")).toEqual([{ ...changed, diverged: expect.objectContaining(recorded) }]);
});
