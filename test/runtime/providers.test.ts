import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { examine, probe, requireProvider } from "../../src/runtime/examine.node.js";
import { providerNames, sessionOptions } from "../../src/runtime/providers.js";
import { temporaryFolder } from "../data/files.js";
import { hasSoftwareVulkan, swiftshader } from "../helpers/providers.js";

const { onnx } = onnxProto;
const float32 = onnx.TensorProto.DataType.FLOAT;

/** y = op(x, x) for x float32 [n, 2]. */
function model(opType: string): Uint8Array {
  const dim = [{ dimParam: "n" }, { dimValue: 2 }];
  const value = (name: string) => ({ name, type: { tensorType: { elemType: float32, shape: { dim } } } });
  return onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    graph: {
      name: "g",
      node: [{ opType, input: ["x", "x"], output: ["y"] }],
      input: [value("x")],
      output: [value("y")],
    },
  }).finish();
}

const add = model("Add");

const useVulkan = (manifest: string) => {
  vi.stubEnv("VK_ICD_FILENAMES", manifest);
  vi.stubEnv("VK_DRIVER_FILES", manifest);
};

/** Whatever this machine has, these tests see a machine without a GPU. */
beforeEach(() => {
  vi.stubEnv("CUDA_VISIBLE_DEVICES", "");
  useVulkan("/nonexistent.json");
});
afterEach(() => vi.unstubAllEnvs());

describe("sessionOptions", () => {
  it("names the provider, and forbids the CPU to step in for a GPU", () => {
    const strict = { session: { disable_cpu_ep_fallback: "1" } };
    const always = { logSeverityLevel: 3, enableMemPattern: false };
    expect(sessionOptions("cpu")).toEqual({ ...always, executionProviders: ["cpu"] });
    expect(sessionOptions("webgpu")).toEqual({
      ...always,
      executionProviders: ["webgpu"],
      extra: strict,
    });
    expect(sessionOptions("cuda", { device: 1, threads: 2 })).toEqual({
      ...always,
      executionProviders: [{ name: "cuda", deviceId: 1 }],
      intraOpNumThreads: 2,
      extra: strict,
    });
    expect(sessionOptions("cpu", { memoryPattern: true })).toMatchObject({ enableMemPattern: true });
    expect(sessionOptions("cuda", { cpuNodes: true })).toEqual({
      ...always,
      executionProviders: ["cuda"],
    });
  });

  it.each([
    ["cpu", { device: 0 }, "device 0: cpu cannot choose a device; leave it out"],
    ["webgpu", { device: 1 }, "device 1: webgpu cannot choose a device"],
    ["cuda", { device: -1 }, "device -1: is not a device number; use 0"],
    ["cpu", { threads: 0 }, "threads 0: is not a number of threads; use 1 or more"],
    ["cpu", { threads: 1.5 }, "threads 1.5: is not"],
  ] as const)("rejects %s with %o", (name, settings, message) => {
    expect(() => sessionOptions(name, settings)).toThrow(
      expect.objectContaining({ kind: "usage", message: expect.stringContaining(message) }),
    );
  });
});

describe("probe", () => {
  it("runs a model on the CPU", async () => {
    expect(await probe("cpu", add)).toEqual({ ok: true });
  });

  it("gives the runtime's reason in one line", async () => {
    const { ok, reason } = await probe("cpu", model("NoSuchOperator"));
    expect(ok).toBe(false);
    expect(reason).toMatch(/^[^\n]*NoSuchOperator[^\n]*$/);
    expect((await probe("cpu", Uint8Array.of(1, 2, 3))).reason).toMatch(/protobuf/i);
  });

  it("gives up after the time limit", async () => {
    expect(await probe("cpu", add, {}, 1)).toEqual({ ok: false, reason: "no answer within 0.001 s" });
  });

  it("writes nothing to the caller's streams", async () => {
    const written = [vi.spyOn(process.stderr, "write"), vi.spyOn(process.stdout, "write")];
    await probe("webgpu", add);
    for (const spy of written) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});

describe("examine", () => {
  it("reports every provider, with versions", async () => {
    const reports = await Promise.all(providerNames.map((name) => examine(name)));
    expect(reports.map(({ name }) => name)).toEqual(providerNames);
    const [cpu] = reports;
    expect(cpu).toMatchObject({ name: "cpu", available: true });
    expect(cpu.findings.find(({ subject }) => subject === "onnxruntime-node")?.detail).toContain(
      process.version,
    );
    for (const { available, reason, fix, findings } of reports) {
      expect(reason === undefined).toBe(available);
      expect(fix === undefined).toBe(available);
      for (const finding of findings) expect(finding.fix === undefined).toBe(finding.ok);
    }
  });

  it.each([
    ["is forbidden", undefined, "0"],
    ["is left to those who ask for it", "1", "1"],
  ])("TF32 on CUDA %s", async (_, given, set) => {
    vi.stubEnv("CUDA_VISIBLE_DEVICES", "");
    vi.stubEnv("NVIDIA_TF32_OVERRIDE", given);
    await expect(requireProvider("cuda")).rejects.toThrow(
      /^execution provider cuda: the execution provider is not available/,
    );
    expect(process.env.NVIDIA_TF32_OVERRIDE).toBe(set);
  });

  it.skipIf(process.platform !== "linux" || process.arch !== "x64")("says what CUDA misses", async () => {
    vi.stubEnv("CUDA_VISIBLE_DEVICES", ""); // Were there a GPU, it would miss that.
    const cuda = await examine("cuda");
    const missing = cuda.findings.filter(({ ok }) => !ok);
    expect(cuda.available).toBe(false);
    expect(cuda.reason).toMatch(/\.so|CUDA/);
    expect(cuda.fix).toBe(missing[0]?.fix ?? cuda.fix);
    expect(cuda.findings.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining([
        ...["libonnxruntime_providers_cuda.so", "libcuda.so.1", "libcudart.so.13"],
        ...["libcublas.so.13", "libcudnn.so.9", "libnvrtc.so.13"],
      ]),
    );
    for (const { subject, fix } of missing) {
      if (subject.startsWith("libonnxruntime_"))
        expect(fix).toContain("ONNXRUNTIME_NODE_INSTALL=true node /");
      else if (subject === "libcuda.so.1") expect(fix).toContain("NVIDIA driver");
      else {
        expect(fix).toMatch(/\(apt: \S+-13\S* .*; pip: nvidia-\S+\); unless .* LD_LIBRARY_PATH$/);
      }
    }
  });

  it.skipIf(process.platform !== "linux" || process.arch !== "x64")(
    "finds CUDA's libraries in LD_LIBRARY_PATH, and tells a driver that is too old",
    async () => {
      const folder = await temporaryFolder();
      for (const name of ["libcuda.so.550.54.14", "libcudnn.so.9"]) await writeFile(join(folder, name), "");
      await symlink("libcuda.so.550.54.14", join(folder, "libcuda.so.1"));
      vi.stubEnv("LD_LIBRARY_PATH", folder);
      const { findings } = await examine("cuda");
      const found = (name: string) => findings.find(({ subject }) => subject === name);
      expect(found("libcudnn.so.9")).toMatchObject({ ok: true, detail: join(folder, "libcudnn.so.9") });
      expect(found("libcuda.so.1")).toMatchObject({
        ok: false,
        detail: expect.stringContaining("libcuda.so.550.54.14, too old"),
        fix: "install the NVIDIA driver, 580 or later for CUDA 13",
      });
    },
  );

  it.skipIf(process.platform !== "linux")("says that WebGPU has no Vulkan driver", async () => {
    const webgpu = await examine("webgpu");
    expect(webgpu.available).toBe(false);
    expect(webgpu.findings).toContainEqual(
      expect.objectContaining({ subject: "Vulkan drivers", ok: false, detail: "none found" }),
    );
    expect(webgpu.reason).toContain("Failed to get a WebGPU adapter");
  });

  it.skipIf(!hasSoftwareVulkan)(`runs WebGPU on a driver in software (${swiftshader})`, async () => {
    useVulkan(swiftshader);
    const webgpu = await examine("webgpu");
    expect(webgpu).toMatchObject({ name: "webgpu", available: true });
    expect(webgpu.findings).toContainEqual({ subject: "Vulkan drivers", ok: true, detail: swiftshader });
  });

  it.skipIf(!hasSoftwareVulkan)(
    "lets the CPU step in for WebGPU, which has no kernel for Mean, only when asked",
    async () => {
      useVulkan(swiftshader);
      const mean = model("Mean");
      expect((await probe("webgpu", mean)).reason).toContain(
        "fallback to CPU EP has been explicitly disabled",
      );
      expect(await probe("webgpu", mean, { cpuNodes: true })).toEqual({ ok: true });
    },
  );
});
