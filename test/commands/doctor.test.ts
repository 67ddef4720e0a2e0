import { expect, test } from "vitest";
import { providerNames } from "../../src/training/providers.js";
import { succeed } from "../helpers/cli.js";
import { temporaryFolder } from "../training/data/files.js";

/** A machine without a GPU, whatever this one has. */
const env = {
  CUDA_VISIBLE_DEVICES: "",
  VK_DRIVER_FILES: "/nonexistent.json",
  VK_ICD_FILENAMES: "/nonexistent.json",
};

test("doctor tells of all providers, why one is not available, and what to do", async () => {
  const { stdout } = await succeed(["doctor"], { cwd: await temporaryFolder(), env });
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
  const { stdout } = await succeed(["doctor", "--json"], { cwd: await temporaryFolder(), env });
  const reports = JSON.parse(stdout);
  expect(reports).toMatchObject([
    { name: "cpu", available: true },
    { name: "cuda", available: false, reason: expect.any(String), fix: expect.any(String) },
    { name: "webgpu", available: false, reason: expect.any(String), fix: expect.any(String) },
  ]);
});
