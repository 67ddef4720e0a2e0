import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCli, succeed } from "../helpers/cli.js";
import { trainingPlace } from "../helpers/runs.js";

const { cwd, train, contentOf, remove } = await trainingPlace();
afterAll(remove);

async function flipBit(path: string): Promise<void> {
  const bytes = await readFile(join(cwd, path));
  bytes[bytes.length - 100] ^= 4;
  await writeFile(join(cwd, path), bytes);
}

test("damage is found by check, and a resumed run goes back by a checkpoint to end as if nothing had been", async () => {
  await succeed(train("whole", 3, ["--keep-every", "1"]), { cwd });
  await succeed(train("run", 2, ["--keep-every", "1"]), { cwd });
  const { stdout } = await succeed(["check", "run"], { cwd });
  expect(stdout).toMatch(/^ok {6}run.checkpoint\.safetensors \(checksum\)$/m);
  expect(stdout).toMatch(/^ok {6}run.metrics\.jsonl \(452 lines\)$/m);

  // A file of its own, which the epoch's had been a second name of.
  await flipBit(join("run", "checkpoint.safetensors"));
  const { code, stdout: found } = await runCli(["check", "run", "--json"], { cwd });
  expect(code).toBe(1);
  const { damaged, files } = JSON.parse(found);
  expect(damaged).toBeGreaterThanOrEqual(1);
  expect(files.find(({ fault }: { fault?: string }) => fault).fault).toMatch(/checkpoint.*is damaged/);

  const exported = await runCli(["export", "old.onnx", "--run", "run"], { cwd });
  expect(exported.stderr).toMatch(/is damaged.*\n.*checkpoint-before-1\.safetensors is used instead/);
  expect(exported.code).toBe(0);
  await succeed(["export", "first.onnx", "--run", "run", "--epoch", "1"], { cwd });
  expect(await readFile(join(cwd, "old.onnx"))).toEqual(await readFile(join(cwd, "first.onnx")));
  const missing = await runCli(["export", "x.onnx", "--run", "run", "--epoch", "9"], { cwd });
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringMatching(/no checkpoint of epoch 9/)]);

  const resumed = await succeed(["train", "--resume", "--out", "run", "--epochs", "3"], { cwd });
  expect(resumed.stderr).toContain("is used instead: it stands at epoch 1, step 0");
  expect(await contentOf("run")).toEqual(await contentOf("whole"));
  await flipBit("first.onnx");
  const sample = await runCli(["sample", "first.onnx", "--out", "s.png"], { cwd });
  expect([sample.code, sample.stderr]).toEqual([
    1,
    expect.stringMatching(/first\.onnx: is (damaged|no ONNX model)/),
  ]);
});

test("what cannot be checked is a usage error", async () => {
  for (const path of ["nowhere", "data"]) {
    const { code, stderr } = await runCli(["check", path], { cwd });
    expect([code, stderr]).toEqual([2, expect.stringMatching(new RegExp(`^error: ${path}: `))]);
  }
});
