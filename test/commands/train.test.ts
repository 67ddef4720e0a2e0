import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { producer } from "../../src/version.js";
import { runCli, succeed, tree } from "../helpers/cli.js";
import { hasSoftwareVulkan, softwareVulkan, swiftshader } from "../helpers/providers.js";
import { trainingPlace } from "../helpers/runs.js";

const { cwd, train, contentOf, remove } = await trainingPlace();
afterAll(remove);

describe("a run of two epochs", () => {
  let result: Awaited<ReturnType<typeof succeed>>;
  beforeAll(async () => {
    result = await succeed(train("a", 2), { cwd });
  });

  test("leaves the files that README names, and nothing else", () => {
    expect(tree(join(cwd, "a"))).toEqual([
      "checkpoint-before-1.safetensors",
      "checkpoint.safetensors",
      "config.json",
      "img",
      join("img", "fake_images-1.png"),
      join("img", "fake_images-2.png"),
      join("img", "real_images.png"),
      "metrics.jsonl",
      "provenance.json",
      "report.html",
    ]);
  });

  test("records every step", async () => {
    const lines = (await readFile(join(cwd, "a", "metrics.jsonl"), "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(2 * 226);
    const last = JSON.parse(lines[451]);
    expect(last).toMatchObject({ epoch: 2, iteration: 226 });
    for (const name of ["d_loss", "g_loss", "real_score", "fake_score"])
      expect(last[name]).toBeGreaterThan(0);
  });

  test("saves its whole configuration", async () => {
    expect(JSON.parse(await readFile(join(cwd, "a", "config.json"), "utf8"))).toMatchObject({
      recipe: "vanilla",
      data: "data",
      ep: "cpu",
      epochs: 2,
      batchSize: 2,
      seed: 7,
      latent: 4,
      width: 8,
      learningRate: 3e-4,
    });
  });

  test("says the example's line every 100 steps on stderr", () => {
    const said = result.stderr.split("\n").filter((line) => line.startsWith("Epoch"));
    expect(said).toHaveLength(4);
    const number = String.raw`-?\d+\.\d+`;
    const metrics = `d_loss:${number},g_loss:${number} D real: ${number},D fake: ${number}`;
    [1, 1, 2, 2].forEach((epoch, i) => {
      expect(said[i]).toMatch(new RegExp(`^Epoch\\[${epoch}/2\\],${metrics}$`));
    });
  });

  test("prints nothing but the result on stdout, and no control characters where there is no terminal", () => {
    expect(result.stdout).toBe("a\n");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(result.stderr).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
  });

  test("tells where it comes from: data, versions, machine, session and epochs", async () => {
    const { data, sessions } = JSON.parse(await readFile(join(cwd, "a", "provenance.json"), "utf8"));
    const idx = await readFile(join(cwd, "data", "train-images-idx3-ubyte"));
    const labels = await readFile(join(cwd, "data", "train-labels-idx1-ubyte")).catch(() => undefined);
    const hash = createHash("sha256").update(idx.subarray(16));
    if (labels) hash.update(labels.subarray(8));
    expect(data).toMatchObject({ name: "data", count: 451, width: 8, sha256: hash.digest("hex") });
    expect(sessions).toMatchObject([
      {
        from: { epoch: 0, step: 0 },
        to: { epoch: 2, step: 0 },
        steps: 452,
        versions: { "gan-onnx": producer.version, node: process.version.slice(1) },
        epochs: [
          { epoch: 1, steps: 226 },
          { epoch: 2, steps: 226 },
        ],
      },
    ]);
    const [{ started, ended, seconds, epochs }] = sessions;
    const apart = (Date.parse(ended) - Date.parse(started)) / 1000;
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(apart + 0.1);
    expect(epochs[0].seconds + epochs[1].seconds).toBeLessThanOrEqual(seconds);
    const { stdout } = await succeed(["runs", ".", "--json"], { cwd });
    expect(JSON.parse(stdout).find(({ run }: { run: string }) => run === "a")).toMatchObject({
      seconds,
      provenance: { data },
    });
    expect(await readFile(join(cwd, "a", "report.html"), "utf8")).toContain(data.sha256);
  });

  test("comes out the same, byte for byte, by the command it records, and other from another seed", async () => {
    const { command } = JSON.parse(await readFile(join(cwd, "a", "provenance.json"), "utf8"));
    await succeed([...command.split(" ").slice(1), "--out", "same"], { cwd });
    await succeed(train("other", 2, ["--seed", "8"]), { cwd });
    expect(await contentOf("same")).toEqual(await contentOf("a"));
    const [ours, others] = [await contentOf("a"), await contentOf("other")];
    for (const [path, content] of Object.entries(ours)) expect(others[path], path).not.toBe(content);
  });
});

test.skipIf(!hasSoftwareVulkan)(
  `on another provider than the CPU, it says what the CPU runs all the same (needs ${swiftshader})`,
  async () => {
    const args = train("webgpu", 1, ["--dry-run", "--ep", "webgpu"]);
    const { stderr } = await succeed(args, { cwd, env: softwareVulkan });
    const warnings = stderr.split("\n").filter((line) => line.includes("the CPU runs"));
    expect(warnings).toEqual([
      expect.stringMatching(/^train\.onnx: of \d+ nodes .*\bLoop 1\b.*; in every step: none$/),
    ]);
  },
);

test("a training that diverges ends with one line that says so", async () => {
  // The next run is under way by then: thrice, for what happens when it is ended.
  for (const out of ["hopeless", "again", "and-again"]) {
    const args = train(out, 1, ["--learning-rate", "1e30", "--steps-per-call", "8"]);
    const { code, stderr } = await runCli(args, { cwd });
    const message =
      /^error: epoch 1, step \d, update of the \w+: \w+ is \S+: the training has diverged; lower --learning-rate$/m;
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  }
});

test("--dry-run checks everything and writes nothing", async () => {
  const before = tree(cwd);
  const { stdout, stderr } = await succeed(train("dry", 3, ["--dry-run", "--json"]), { cwd });
  expect(tree(cwd)).toEqual(before);
  const { configuration, ...summary } = JSON.parse(stdout);
  expect(summary).toMatchObject({ run: "dry", images: 451, epochs: 3, iterations: 226, batch: 2 });
  expect(configuration).toMatchObject({ recipe: "vanilla", latent: 4, epochs: 3 });
  expect(stderr).toContain("451");
  expect(stderr).toContain("--dry-run trains and writes nothing");
});

test("settings come from a file, flags win over it, and --json prints what came out", async () => {
  const settings = {
    recipe: "vanilla",
    data: "data",
    latent: 3,
    width: 5,
    depth: 1,
    epochs: 9,
    batchSize: 100,
  };
  const { writeAtomically } = await import("../../src/files.node.js");
  await writeAtomically(join(cwd, "my.json"), JSON.stringify(settings));
  const args = ["train", "--config", "my.json", "--epochs", "1", "--json", "--out", "from/file"];
  const { stdout } = await succeed(args, { cwd });
  expect(JSON.parse(stdout)).toMatchObject({
    run: "from/file",
    recipe: "vanilla",
    epoch: 1,
    step: 0,
    images: 451,
  });
  const saved = JSON.parse(await readFile(join(cwd, "from/file/config.json"), "utf8"));
  expect(saved).toMatchObject({ ...settings, epochs: 1 });
});
