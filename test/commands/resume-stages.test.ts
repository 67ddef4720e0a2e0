import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { succeed } from "../helpers/cli.js";
import { trainingPlace } from "../helpers/runs.js";

const { cwd, resume, killed, contentOf, isSaved, remove } = await trainingPlace();
afterAll(remove);

const train = (out: string, ...more: string[]) => [
  ...["train", "--recipe", "vae-gan", "--data", "data", "--out", out, "--epochs", "6", "--batch-size", "8"],
  ...["--width", "2", "--latent", "3", "--components", "20", ...more],
];
const perCall = (steps: number) => ["--steps-per-call", String(steps)];

test("vae-gan killed in each of its stages and resumed writes what an uninterrupted run writes, byte for byte", async () => {
  await succeed(train("whole", ...perCall(64)), { cwd });
  const metrics = join(cwd, "killed", "metrics.jsonl");
  const has = (text: string) => existsSync(metrics) && readFileSync(metrics, "utf8").includes(text);
  const during = (epoch: number) => () =>
    vi.waitUntil(() => isSaved("killed") && has(`"epoch":${epoch},`), { timeout: 100_000, interval: 5 });

  expect((await killed(train("killed", ...perCall(1)), during(2))).code).toBe("SIGKILL");
  expect([has("vae_loss"), has("prior_loss")]).toEqual([true, false]);
  expect((await killed(resume("killed"), during(4))).code).toBe("SIGKILL");
  expect([has("prior_loss"), has("d_loss")]).toEqual([true, false]);
  expect((await killed(resume("killed"), during(6))).code).toBe("SIGKILL");
  expect(has("g_loss")).toBe(true);
  await succeed(resume("killed", ...perCall(64)), { cwd });
  expect(await contentOf("killed")).toEqual(await contentOf("whole"));
});
