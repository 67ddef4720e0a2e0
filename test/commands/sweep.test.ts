import { existsSync, readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { runCli, startCli, succeed, tree } from "../helpers/cli.js";
import { trainingPlace } from "../helpers/runs.js";

const { cwd, train, contentOf, remove } = await trainingPlace();
afterAll(remove);

const small = { data: "data", batchSize: 2, latent: 4, width: 8, stepsPerCall: 1 };
const plan = {
  settings: small,
  // The first two are long enough to be killed.
  list: [
    ...[7, 8].map((seed) => ({ seed, epochs: 8 })),
    ...[1, 2, 3, 4].map((seed) => ({ seed, epochs: 1 })),
  ],
};
const planned = async (name: string, content: unknown) => writeFile(join(cwd, name), JSON.stringify(content));

/** The process that trains a task, as soon as there is one. */
async function processOf(task: number): Promise<number> {
  const folder = join(cwd, "sweeps", "plan", `task-${task}`);
  const lock = () =>
    (existsSync(folder) ? readdirSync(folder) : []).flatMap(
      (name) => name.match(/^run-(\d+)-\w+\.lock$/)?.[1] ?? [],
    );
  await vi.waitUntil(() => lock().length > 0, { timeout: 60_000, interval: 5 });
  return Number(lock()[0]);
}

describe("a sweep of six runs in two processes, two of which are killed", () => {
  const sweep = ["sweep", "plan.json", "--parallel", "2", "--json"];

  test("says so, resumes them when it is started again, and leaves the others", async () => {
    await planned("plan.json", plan);
    const running = startCli(sweep, { cwd });
    for (const pid of await Promise.all([processOf(0), processOf(1)])) process.kill(pid, "SIGKILL");
    const first = await running.finished;
    expect(first.code, first.stderr).toBe(1);
    expect(JSON.parse(first.stdout)).toEqual({
      sweep: join("sweeps", "plan"),
      runs: 6,
      complete: 4,
      failed: [0, 1],
    });
    expect(first.stderr).toContain("run 0 was ended by SIGKILL");
    expect(first.stderr).toContain("4 of 6 runs are complete; use the same command again to resume");

    const finished = await contentOf(join("sweeps", "plan", "task-4"));
    const again = await succeed(sweep, { cwd });
    expect(JSON.parse(again.stdout)).toMatchObject({ complete: 6, failed: [] });
    expect(again.stderr).not.toContain("run 4:");
    expect(await contentOf(join("sweeps", "plan", "task-4"))).toEqual(finished);
  });

  test("ends with what uninterrupted runs write, byte for byte", async () => {
    await succeed(train("whole", 8, ["--steps-per-call", "1"]), { cwd });
    expect(await contentOf(join("sweeps", "plan", "task-0"))).toEqual(await contentOf("whole"));
  });

  test("is reported as a table of the settings that differ, losses and scores", async () => {
    const folder = join("sweeps", "plan");
    const { stdout } = await succeed(["report", folder, "--format", "json"], { cwd });
    const results = JSON.parse(stdout);
    expect(results).toHaveLength(6);
    for (const [task, { seed, epochs }] of plan.list.entries()) {
      const losses = { d_loss: expect.any(Number), g_loss: expect.any(Number) };
      const result = { name: `task-${task}`, settings: { seed, epochs }, state: "complete", epoch: epochs };
      expect(results[task]).toEqual({ ...result, losses, scores: {} });
    }
    const table = (await succeed(["report", folder, "--format", "table"], { cwd })).stdout.split("\n");
    expect(table[0]).toMatch(/^run +epochs +seed +state +epoch +d_loss +g_loss$/);
    expect(table[6]).toMatch(/^task-5 +1 +4 +complete +1 +\d/);
    await succeed(["report", folder, "--out", "page.html"], { cwd });
    expect(await readFile(join(cwd, "page.html"), "utf8")).toContain("<h1>6 runs</h1>");
  });
});

test("a task comes from the environment; SIGTERM saves it and exits 143, and the same command resumes it", async () => {
  await planned("array.json", { settings: { ...small, epochs: 20 }, grid: { seed: [1, 7] } });
  const args = ["sweep", "array.json", "--out", "array", "--task-from", "SLURM_ARRAY_TASK_ID"];
  const env = { SLURM_ARRAY_TASK_ID: "1" };
  const running = startCli(args, { cwd, env });
  await running.says("Epoch[1/20]");
  running.kill("SIGTERM");
  expect(await running.finished).toMatchObject({ code: 143, stdout: `${join("array", "task-1")}\n` });
  expect(tree(join(cwd, "array")).filter((path) => path.endsWith(".json"))).toContain("task-1.json");
  const again = startCli(args, { cwd, env });
  await again.says("Epoch[");
  again.kill("SIGTERM");
  const { code, stderr } = await again.finished;
  expect(code).toBe(143);
  const [, epoch, step] = stderr.match(/stopped at epoch (\d+), step (\d+)/) ?? [];
  const lines = (await readFile(join(cwd, "array", "task-1", "metrics.jsonl"), "utf8")).trimEnd();
  expect(lines.split("\n")).toHaveLength(Number(epoch) * 226 + Number(step));
});

test("without a task it writes the settings and trains nothing; another plan needs another folder", async () => {
  await planned("two.json", { settings: small, grid: { seed: [1, 2] } });
  const { stdout, stderr } = await succeed(["sweep", "two.json"], { cwd });
  const folder = join("sweeps", "two");
  expect(stdout).toBe(`${folder}\n`);
  expect(stderr).toContain("2 runs; train one with --task 0 to 1");
  expect(tree(join(cwd, folder))).toEqual(["sweep.json", "task-0.json", "task-1.json"]);
  expect(JSON.parse(await readFile(join(cwd, folder, "task-1.json"), "utf8"))).toEqual({ ...small, seed: 2 });
  const { stdout: table } = await succeed(["report", folder, "--format", "csv"], { cwd });
  expect(table).toBe("run,seed,state,epoch\r\ntask-0,1,not begun,0\r\ntask-1,2,not begun,0\n");

  // More runs at its end, which is allowed; then fewer, and others.
  await planned("two.json", { settings: small, grid: { seed: [1, 2, 3] } });
  await succeed(["sweep", "two.json"], { cwd });
  for (const [seed, file] of [
    [[1, 2], "task-2.json"],
    [[1, 9, 3], "task-1.json"],
  ] as const) {
    await planned("two.json", { settings: small, grid: { seed } });
    const { code, stderr } = await runCli(["sweep", "two.json"], { cwd });
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(`error: ${join(folder, file)}: is of another plan; choose another folder`),
    ]);
  }
});

test.each([
  [["--task", "2"], "--task: needs the number of a run of the plan, 0 to 1, not 2"],
  [["--task", "-1"], "--task: needs the number of a run of the plan"],
  [["--task-from", "NOWHERE"], "--task-from NOWHERE: is not set in the environment; set it to 0 to 1"],
  [["--parallel", "0"], "--parallel: needs a whole number from 1, not 0"],
  [["--task", "1", "--parallel", "2"], "task"],
])("%j is refused", async (args, message) => {
  await planned("none.json", { grid: { seed: [1, 2] } });
  const { code, stdout, stderr } = await runCli(["sweep", "none.json", ...args], { cwd });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
  expect(existsSync(join(cwd, "sweeps", "none"))).toBe(false);
});
