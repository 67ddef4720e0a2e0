import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readCheckpoint } from "../../src/runs/checkpoints.js";
import { runCli, startCli, succeed, tree } from "../helpers/cli.js";
import { trainingPlace } from "../helpers/runs.js";

const { cwd, train, resume, killed, contentOf, remove } = await trainingPlace();
afterAll(remove);

const positionOf = async (out: string) =>
  (await readCheckpoint(join(cwd, out, "checkpoint.safetensors"))).position;
const settingsOf = async (out: string) => JSON.parse(await readFile(join(cwd, out, "config.json"), "utf8"));
/** Wait for the first one: it is written while the next epoch is made, however long the disk takes. */
const checkpointIn = (out: string) => written(out, "checkpoint.safetensors");
const written = (...path: string[]) =>
  vi.waitUntil(() => existsSync(join(cwd, ...path)), { timeout: 60_000 });
/** A run is stopped in a block of steps, so that there are enough of them: each a step long. */
const slowly = ["--steps-per-call", "1"];
/** Everyone ends with this configuration. */
const inTheEnd = ["--steps-per-call", "64"];

describe("what an uninterrupted run of four epochs writes is, byte for byte, what comes out after", () => {
  let uninterrupted: Record<string, string>;
  beforeAll(async () => {
    await succeed(train("whole", 4, inTheEnd), { cwd });
    uninterrupted = await contentOf("whole");
  });

  test("two epochs, and two more with --resume", async () => {
    // Measured, as it is unless told.
    await succeed(train("halves", 2), { cwd });
    // The number of threads changes nothing but the configuration.
    const one = ["--threads", "1", ...inTheEnd];
    const { stdout } = await succeed(resume("halves", "--epochs", "4", ...one), { cwd });
    expect(stdout).toBe("halves\n");
    const { "config.json": _, ...content } = await contentOf("halves");
    const { "config.json": __, ...wanted } = uninterrupted;
    expect(content).toEqual(wanted);
    expect(await settingsOf("halves")).toEqual({ ...(await settingsOf("whole")), threads: 1 });
  });

  test.each([
    ["Ctrl-C", "SIGINT", "gan-onnx", {}],
    ["a closed terminal", "SIGHUP", "npx gan-onnx", { npm_command: "exec" }],
  ] as const)("%s in the middle of an epoch, which saves and exits 130", async (_, signal, program, env) => {
    const out = `stopped by ${signal}`;
    const running = startCli(train(out, 4, slowly), { cwd, env });
    await running.says("Epoch[1/4]");
    running.kill(signal);
    // The shell and the system both tell of a terminal's end; a second Ctrl-C would mean something else.
    if (signal === "SIGHUP") running.kill(signal);
    const { code, stdout, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(stdout).toBe(`${out}\n`);
    expect(stderr).toContain(`resume with: ${program} train --resume --out '${out}'`);
    expect(stderr).not.toContain("error:");
    const { epoch, step } = await positionOf(out);
    expect(epoch * 226 + step).toBeGreaterThanOrEqual(100);
    expect(step).toBeGreaterThan(0);
    const lines = (await readFile(join(cwd, out, "metrics.jsonl"), "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(epoch * 226 + step);

    await succeed(resume(out, ...inTheEnd), { cwd });
    expect(await contentOf(out)).toEqual(uninterrupted);
  });

  test("readers of its output that went away", async () => {
    const running = startCli(train("unread", 4, inTheEnd), { cwd });
    await running.says("vanilla on data");
    running.leave();
    expect((await running.finished).code).toBe(0);
    expect(await contentOf("unread")).toEqual(uninterrupted);
  });

  test("a process killed half-way", async () => {
    const { code } = await killed(train("killed", 4, slowly), () => checkpointIn("killed"));
    expect(code).toBe("SIGKILL");
    expect((await positionOf("killed")).epoch).toBeGreaterThanOrEqual(1);

    await succeed(resume("killed", ...inTheEnd), { cwd });
    // Killed while it writes, a process leaves a temporary file; nothing else may differ.
    expect(await contentOf("killed")).toMatchObject(uninterrupted);
  });

  test("a second process that would train there as well, which is refused", async () => {
    const running = startCli(train("shared", 4, slowly), { cwd });
    await checkpointIn("shared");
    // Stopped, so that the second one comes in time however slow the machine is.
    running.kill("SIGSTOP");
    const { code, stdout, stderr } = await runCli(resume("shared"), { cwd });
    running.kill("SIGCONT");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^error: shared: is being trained already, by process \d+; wait for it/m);
    expect((await running.finished).code).toBe(0);
    // It is complete: resuming it changes nothing, its own settings included.
    await succeed(resume("shared", ...inTheEnd), { cwd });
    const { "config.json": _, ...content } = await contentOf("shared");
    expect(uninterrupted).toMatchObject(content);
    expect(Object.keys(content)).toHaveLength(Object.keys(uninterrupted).length - 1);
  });

  test("--resume of what is complete, which changes nothing", async () => {
    const { stderr } = await succeed(resume("whole"), { cwd });
    expect(stderr).toContain("complete: epoch 4 is done; train more with --epochs");
    expect(await contentOf("whole")).toEqual(uninterrupted);
    await succeed(resume("whole", "--epochs", "3"), { cwd });
    expect(await contentOf("whole")).toEqual(uninterrupted);
  });
});

test("a second Ctrl-C ends at once, without waiting for the steps that are being made", async () => {
  // One run of the training graph that would take minutes: if this waited for it, the test would run out of time.
  const huge = ["--steps-per-call", "1000", "--batch-size", "2", "--width", "2048", "--depth", "3"];
  const args = ["train", "--data", "data", "--out", "huge", "--epochs", "1", ...huge];
  const running = startCli(args, { cwd });
  // What is written last before the first call.
  await written("huge", "img", "real_images.png");
  running.kill("SIGINT");
  await running.says("press Ctrl-C again to stop at once");
  running.kill("SIGINT");
  const { code, stdout } = await running.finished;
  expect(code).toBe("SIGINT");
  expect(stdout).toBe("");
  expect(tree(join(cwd, "huge"))).not.toContain("metrics.jsonl");
});

test("a run of augmented images goes on as if nothing had happened, too", async () => {
  const more = [...inTheEnd, "--augment", "shift,flip"];
  await succeed(train("augmented", 2, more), { cwd });
  await succeed(train("augmented halves", 1, more), { cwd });
  await succeed(resume("augmented halves", "--epochs", "2"), { cwd });
  expect(await contentOf("augmented halves")).toEqual(await contentOf("augmented"));
});

describe("what may change when a run is resumed", () => {
  const changesOf = async (out: string) =>
    (await readFile(join(cwd, out, "changes.jsonl"), "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));

  test("learning rate and schedule do, which is recorded with the step, and stay", async () => {
    await succeed(train("changed", 1), { cwd });
    const { stderr } = await succeed(
      resume("changed", "--epochs", "2", "--learning-rate", "1e-4", "--schedule", "cosine"),
      { cwd },
    );
    expect(stderr).toContain("--learning-rate changes from 0.0003 to 0.0001\n");
    expect(stderr).toContain('--schedule changes from none to "cosine"\n');
    const first = {
      epoch: 1,
      step: 0,
      changes: {
        learningRate: { from: 0.0003, to: 0.0001 },
        schedule: { from: null, to: "cosine" },
      },
    };
    expect(await changesOf("changed")).toEqual([first]);
    expect(await settingsOf("changed")).toMatchObject({
      learningRate: 0.0001,
      schedule: "cosine",
      epochs: 2,
    });
    const { state } = await readCheckpoint(join(cwd, "changed", "checkpoint.safetensors"));
    expect(Array.from(state.get("schedule/step")!.data, Number)).toEqual([2 * 226]);

    await succeed(resume("changed", "--epochs", "3", "--schedule", "constant"), { cwd });
    expect(await changesOf("changed")).toEqual([
      first,
      { epoch: 2, step: 0, changes: { schedule: { from: "cosine", to: "constant" } } },
    ]);
    expect(await positionOf("changed")).toMatchObject({ epoch: 3, step: 0 });
  });
});
