import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { providerNames } from "../../src/runtime/providers.js";
import { temporaryFolder } from "../data/files.js";
import { cli, runCli, succeed } from "../helpers/cli.js";
import { tinyArtifacts } from "../helpers/design.js";
import { hasSoftwareVulkan, softwareVulkan, swiftshader, withoutGpu } from "../helpers/providers.js";

test("doctor tells of all providers, why one is not available, and what to do", async () => {
  const { stdout } = await succeed(["doctor"], { cwd: await temporaryFolder(), env: withoutGpu });
  expect(providerNames).toEqual(["cpu", "cuda", "webgpu"]);
  const sections = stdout.split(/^(?=\w)/m);
  expect(sections.map((section) => section.split("\n", 1)[0])).toEqual([
    expect.stringMatching(/^cpu +available$/),
    expect.stringMatching(/^cuda +not available$/),
    expect.stringMatching(/^webgpu +not available$/),
  ]);
  expect(sections[0]).toMatch(/onnxruntime-node: 1\.\d+\.\d+, Node v\d+/);
  for (const section of sections.slice(1)) {
    expect(section).toMatch(/^ {2}why: \S/m);
    expect(section).toMatch(/^ {2}fix: \S/m);
  }
});

test("doctor prints the same as JSON", async () => {
  const { stdout } = await succeed(["doctor", "--json"], { cwd: await temporaryFolder(), env: withoutGpu });
  const reports = JSON.parse(stdout);
  expect(reports).toMatchObject([
    { name: "cpu", available: true },
    { name: "cuda", available: false, reason: expect.any(String), fix: expect.any(String) },
    { name: "webgpu", available: false, reason: expect.any(String), fix: expect.any(String) },
  ]);
});

describe("doctor --graph", () => {
  const cwd = mkdtempSync(join(tmpdir(), "gan-onnx-doctor-"));
  afterAll(() => rmSync(cwd, { recursive: true }));
  beforeAll(async () => {
    await writeFile(join(cwd, "train.onnx"), tinyArtifacts().train);
    await writeFile(join(cwd, "noise.onnx"), "noise");
  });

  test("counts the nodes of a model by provider and operator", async () => {
    const { stdout } = await succeed(["doctor", "--graph", "train.onnx"], { cwd, env: withoutGpu });
    expect(stdout).toMatch(/^cpu +\d+ nodes: .*\bGemm \d+.*\bLoop 1\b.*\n$/);
  });

  test("lists each of them as JSON", async () => {
    const { stdout } = await succeed(["doctor", "--graph", "train.onnx", "--json"], { cwd, env: withoutGpu });
    const { graph, ep, nodes } = JSON.parse(stdout);
    expect([graph, ep]).toEqual(["train.onnx", "cpu"]);
    expect(nodes).toContainEqual(
      expect.objectContaining({ name: "Loop", operator: "Loop", inBody: false, provider: "cpu" }),
    );
  });

  test.skipIf(!hasSoftwareVulkan)(
    `names those that the CPU runs for WebGPU (needs ${swiftshader})`,
    async () => {
      const { stdout } = await succeed(["doctor", "--graph", "train.onnx", "--ep", "webgpu"], {
        cwd,
        env: softwareVulkan,
      });
      const [webgpu, cpu, once, every] = stdout.split("\n");
      expect(webgpu).toMatch(/^webgpu +\d+ nodes: .*\bGemm \d+/);
      expect(cpu).toMatch(/^cpu +\d+ nodes: .*\bLoop 1\b/);
      expect(once).toMatch(/^on the CPU, once in a call: .*Loop \(Loop\)/);
      expect(every).toBe("on the CPU, in every step of a loop: none");
    },
  );

  test.each([
    [["--graph", "missing.onnx"], 2, /^error: missing\.onnx: cannot be read/],
    [
      ["--graph", "noise.onnx"],
      1,
      /^error: noise\.onnx: .* cannot load it \(.*protobuf.*\); name an ONNX model/i,
    ],
    [
      ["--graph", "train.onnx", "--ep", "webgpu"],
      1,
      /^error: --ep webgpu: the execution provider is not available/,
    ],
    [["--graph", "train.onnx", "--device", "1"], 2, /^error: --device 1: cpu cannot choose a device/],
    [["--ep", "tpu"], 2, /^error: --ep: needs one of cpu, cuda, webgpu, not "tpu"/],
  ])("refuses %j", async (flags, status, message) => {
    const { code, stdout, stderr } = await runCli(["doctor", ...flags], { cwd, env: withoutGpu });
    expect([code, stdout]).toEqual([status, ""]);
    expect(stderr).toMatch(message);
  });
});

test("doctor --ep looks at one provider", async () => {
  const { stdout } = await succeed(["doctor", "--ep", "cpu", "--json"], {
    cwd: await temporaryFolder(),
    env: withoutGpu,
  });
  expect(JSON.parse(stdout)).toMatchObject([{ name: "cpu", available: true }]);
});

test("doctor --ep tells by its exit status whether the provider can be used", async () => {
  const { code, stdout } = await runCli(["doctor", "--ep", "webgpu"], {
    cwd: await temporaryFolder(),
    env: withoutGpu,
  });
  expect([code, stdout]).toEqual([1, expect.stringMatching(/^webgpu +not available/)]);
});

test.skipIf(process.platform !== "linux")(
  "a result that cannot be written is a failure, one that nobody reads is none",
  () => {
    const shell = (line: string) =>
      spawnSync("bash", ["-o", "pipefail", "-c", line, process.execPath, cli], {
        encoding: "utf8",
        timeout: 100_000,
      });
    const full = shell('"$0" "$1" doctor --ep cpu > /dev/full');
    expect([full.status, full.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^error: stdout: cannot be written \(no space left on the disk\); see where it is redirected to\n$/,
      ),
    ]);
    const unread = shell('"$0" "$1" doctor --ep cpu | true');
    expect([unread.status, unread.stderr]).toEqual([0, ""]);
  },
);
