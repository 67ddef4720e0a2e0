import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../../src/tensors/safetensors.js";
import type { Tensor } from "../../src/tensors/tensor.js";
import { runCli, succeed } from "../helpers/cli.js";
import { goldenMissing } from "../helpers/golden.js";
import { recordTrajectory } from "../helpers/record.js";

const cwd = await mkdtemp(join(tmpdir(), "gan-onnx-verify-"));
afterAll(() => rm(cwd, { recursive: true, force: true }));

const image = { channels: 1, height: 6, width: 6 };
const verify = (file: string, ...more: string[]) => {
  return ["verify", file, "--size", "6", "--latent", "4", "--width", "8", ...more];
};

beforeAll(async () => {
  const record = recordTrajectory({ steps: 3, batch: 5, seed: 2, image });
  await writeFile(join(cwd, "record.safetensors"), encodeSafetensors(record));
  const spoilt = record.get("g_loss")!.data.slice() as Float64Array<ArrayBuffer>;
  spoilt[2] *= 1.001;
  const wrong = new Map(record).set("g_loss", { dtype: "float64", shape: [3], data: spoilt } as Tensor);
  await writeFile(join(cwd, "wrong.safetensors"), encodeSafetensors(wrong));
});

describe("verify", () => {
  test("exits 0 within the tolerances, and prints a line for each number", async () => {
    const { stdout, stderr } = await succeed(verify("record.safetensors"), { cwd });
    expect(stderr).toContain("record.safetensors: 3 steps of vanilla on cpu, as recorded");
    const lines = stdout.trimEnd().split("\n");
    expect(lines.filter((line) => line.endsWith("ok"))).toHaveLength(lines.length);
    for (const name of ["d_loss", "g_loss", "real_score", "fake_score", "all parameters"]) {
      expect(stdout).toMatch(new RegExp(`^${name} +\\d\\.\\de-\\d+`, "m"));
    }
  });

  test("exits 1 beyond them, and says which number it is", async () => {
    const { code, stdout, stderr } = await runCli(verify("wrong.safetensors"), { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain("3 steps of vanilla on cpu, NOT as recorded");
    expect(stdout.split("\n").filter((line) => line.includes("TOO FAR"))).toEqual([
      expect.stringMatching(/^g_loss /),
    ]);
  });

  test("prints JSON on demand", async () => {
    const { stdout } = await succeed(verify("record.safetensors", "--json"), { cwd });
    expect(JSON.parse(stdout)).toMatchObject({
      file: "record.safetensors",
      recipe: "vanilla",
      ep: "cpu",
      steps: 3,
      within: true,
      tolerances: { metrics: 5e-4, mostParameters: 1e-4, allParameters: 2e-3 },
    });
  });

  test("exits 1 with a record of other sizes, naming the tensors", async () => {
    const { code, stdout, stderr } = await runCli(["verify", "record.safetensors"], { cwd });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^error: record\.safetensors: is not a record of this recipe: x is uint8 \[3, ?5, ?36\] /,
    );
  });
});

describe("a record of our own", () => {
  test("is replayed without its settings, which it holds, and not when a number is another", async () => {
    const small = [
      "--recipe",
      "conditional",
      "--size",
      "8",
      "--latent",
      "3",
      "--width",
      "2",
      "--classes",
      "4",
    ];
    const args = ["verify", "--record", "own.safetensors", "--steps", "2", "--batch-size", "3", ...small];
    expect((await succeed(args, { cwd })).stdout).toBe("own.safetensors\n");
    const { stdout } = await succeed(["verify", "own.safetensors", "--json"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ recipe: "conditional", steps: 2, within: true });

    const { tensors, metadata } = decodeSafetensors(await readFile(join(cwd, "own.safetensors")), "own");
    const x = tensors.get("x") as Tensor<"uint8">;
    expect([x.shape, new Set(x.data).size > 100]).toEqual([[2, 3, 64], true]);
    const changed = new Map(tensors).set("x", { ...x, data: x.data.map(() => 7) });
    await writeFile(join(cwd, "changed.safetensors"), encodeSafetensors(changed, metadata));
    const { code, stderr } = await runCli(["verify", "changed.safetensors"], { cwd });
    expect([code, stderr]).toEqual([1, expect.stringContaining("NOT as recorded by gan-onnx")]);
  });

  test("comes with the package, and is what is replayed unless a file is named", async () => {
    const { stdout } = await succeed(["verify", "--json"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ recipe: "vanilla", steps: 10, within: true });
  });
});

const { missing, note } = goldenMissing("vanilla");
const golden = process.env.GAN_ONNX_TEST_GOLDEN ?? join(process.cwd(), "..", "shared", "golden");
test.skipIf(missing)(`verify passes on PyTorch's trajectory${note}`, async () => {
  await succeed(["verify", join(golden, "vanilla.safetensors"), "--recipe", "vanilla"], { cwd });
});
