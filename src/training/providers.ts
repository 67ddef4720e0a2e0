import { type ExecFileException, execFile } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, delimiter, dirname, join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import type { InferenceSession } from "onnxruntime-node";
import { GanOnnxError, messageOf } from "../error.js";

/** One thing that was looked at, e.g. a library: where or which version it is, or what is wrong and how to mend it. */
export interface Finding {
  readonly subject: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix?: string;
}

/** What `doctor` says about a provider. `available` is what a real session did; findings are what explains it. */
export interface ProviderReport {
  readonly name: ProviderName;
  readonly available: boolean;
  readonly findings: readonly Finding[];
  /** Why it is not available, in the words of the native library where it had any. */
  readonly reason?: string;
  readonly fix?: string;
}

export interface SessionSettings {
  /** Which GPU, from 0. Only `cuda` can choose. */
  readonly device?: number;
  /** Threads of the CPU's operators; ONNX Runtime's default is one per physical core. */
  readonly threads?: number;
  /**
   * Let nodes for which a GPU provider has no kernel run on the CPU. Without it, creating the session throws: slow is
   * never silent. WebGPU has no kernel for `Loop` (1.30), so graphs with loops need it there.
   */
  readonly cpuNodes?: boolean;
}

export interface ProbeResult {
  readonly ok: boolean;
  readonly reason?: string;
}

interface ProviderRow {
  readonly choosesDevice: boolean;
  /** Whether the CPU could step in for it, which must be asked for. */
  readonly accelerator: boolean;
  readonly check: () => Promise<readonly Finding[]>;
  /** What to do when nothing that `check` looks at is wrong, yet no session can be made. */
  readonly remedy: string;
}

const providers = {
  cpu: {
    choosesDevice: false,
    accelerator: false,
    check: checkBinding,
    remedy: "install onnxruntime-node again, on a platform that it supports",
  },
  cuda: {
    choosesDevice: true,
    accelerator: true,
    check: checkCuda,
    remedy:
      "see that nvidia-smi lists a GPU, with a driver for the CUDA version above (CUDA 13: driver 580 or later)",
  },
  webgpu: {
    choosesDevice: false,
    accelerator: true,
    check: checkWebgpu,
    remedy: "install the GPU vendor's driver; on Linux, vulkaninfo --summary must list the GPU",
  },
} satisfies Record<string, ProviderRow>;

export type ProviderName = keyof typeof providers;

export const providerNames = Object.keys(providers) as readonly ProviderName[];

/**
 * Session options of onnxruntime-node for a provider. Throws a usage error for a device or a number of threads that
 * cannot be.
 */
export function sessionOptions(
  name: ProviderName,
  settings: SessionSettings = {},
): InferenceSession.SessionOptions {
  const { device, threads, cpuNodes = false } = settings;
  const { choosesDevice, accelerator }: ProviderRow = providers[name];
  if (device !== undefined && !choosesDevice) {
    throw usage("device", `${name} cannot choose a device`, "leave it out");
  }
  if (device !== undefined && !(Number.isInteger(device) && device >= 0)) {
    throw usage("device", `${device} is not a device number`, "use 0 for the first GPU");
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw usage("threads", `${threads} is not a number of threads`, "use 1 or more");
  }
  return {
    executionProviders: [device === undefined ? name : { name, deviceId: device }],
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    // Values are strings, nested keys are joined by dots (onnxruntime_session_options_config_keys.h).
    ...(accelerator && !cpuNodes && { extra: { session: { disable_cpu_ep_fallback: "1" } } }),
  };
}

/** Look at every provider and try each with a model, see {@link probe}. What fails is reported, not thrown. */
export async function examine(model: Uint8Array): Promise<ProviderReport[]> {
  return Promise.all(
    providerNames.map(async (name) => {
      const row: ProviderRow = providers[name];
      const [findings, { ok, reason }] = await Promise.all([row.check(), probe(name, model)]);
      if (ok) return { name, available: true, findings };
      const fix = findings.find((finding) => finding.fix !== undefined)?.fix ?? row.remedy;
      return { name, available: false, findings, reason, fix };
    }),
  );
}

const require = createRequire(import.meta.url);

/** Runs in a child process: a session of the model that comes on stdin, one run on zeros. Its stderr is the reason. */
const probeScript = `
(async () => {
  const { InferenceSession, Tensor } = require(process.argv[1]);
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const session = await InferenceSession.create(Buffer.concat(chunks), JSON.parse(process.argv[2]));
  const feeds = {};
  for (const { name, shape } of session.inputMetadata) {
    const sizes = shape.map((size) => (typeof size === "number" ? size : 1));
    feeds[name] = new Tensor("float32", new Float32Array(sizes.reduce((a, b) => a * b, 1)), sizes);
  }
  await session.run(feeds);
})().then(() => process.exit(0), (error) => { console.error(error.message.split("\\n")[0]); process.exit(1); });
`;

/**
 * Whether a provider can run a model, by running it once, all of it on that provider. It happens in a child process,
 * so that a crash, a hang or the native libraries' messages do not reach the caller. Inputs of the model are float32;
 * they are fed with zeros, symbolic dimensions with 1. `timeout` is in milliseconds; loading CUDA takes seconds.
 */
export async function probe(
  name: ProviderName,
  model: Uint8Array,
  settings: SessionSettings = {},
  timeout = 60_000,
): Promise<ProbeResult> {
  const entry = require.resolve("onnxruntime-node");
  const options = JSON.stringify(sessionOptions(name, settings));
  const running = run(process.execPath, ["--input-type=commonjs", "-e", probeScript, entry, options], {
    timeout,
    killSignal: "SIGKILL",
    maxBuffer: 2 ** 24,
  });
  // A child that dies early closes its end; its exit status says so.
  running.child.stdin?.on("error", () => {}).end(model);
  try {
    await running;
    return { ok: true };
  } catch (error) {
    const { killed, signal, stderr = "" } = error as Partial<ExecFileException>;
    if (killed) return { ok: false, reason: `no answer within ${timeout / 1000} s` };
    const reason = reasonIn(stderr);
    return { ok: false, reason: signal ? `died of ${signal} (${reason})` : reason || messageOf(error) };
  }
}

const run = promisify(execFile);

/**
 * The line that says why. A library that does not load is named on stderr only: "Failed to load library /long/path
 * with error: libcublas.so.13: cannot open ..."; else it is the exception's message, which is printed last, here less
 * the C++ condition before it.
 */
function reasonIn(stderr: string): string {
  const text = stripVTControlCharacters(stderr).trimEnd();
  const unloaded = /Failed to load library .* with error: (.+)/.exec(text)?.[1];
  return unloaded ?? text.slice(text.lastIndexOf("\n") + 1).replace(/^\/.* was false\. /, "");
}

/** The files of onnxruntime-node for this machine. */
function binaries(): { folder: string; script: string; version: string } {
  const root = dirname(dirname(require.resolve("onnxruntime-node")));
  const { version } = require(join(root, "package.json")) as { version: string };
  const folder = join(root, "bin/napi-v6", process.platform, process.arch);
  return { folder, script: join(root, "script/install.js"), version };
}

const machine = `${process.platform} ${process.arch}`;

async function checkBinding(): Promise<Finding[]> {
  const { folder, version } = binaries();
  return [
    fileFinding(join(folder, "onnxruntime_binding.node"), "use Linux or Windows, or macOS on arm64"),
    { subject: "onnxruntime-node", ok: true, detail: `${version}, Node ${process.version}, ${machine}` },
  ];
}

/** Whether onnxruntime-node was compiled with a provider, which says nothing about this machine. */
async function compiledFinding(name: ProviderName, fix: string): Promise<Finding> {
  const has = await import("onnxruntime-node").then(
    ({ listSupportedBackends }) => listSupportedBackends().some((backend) => backend.name === name),
    () => false,
  );
  return finding(`build for ${machine}`, has ? `with ${name}` : undefined, `without ${name}`, fix);
}

/** What the provider of ONNX Runtime 1.30 is linked to; once its file is there, the file itself is asked. */
const cudaLibraries = ["cublasLt.so.13", "cublas.so.13", "curand.so.10", "cudart.so.13", "cuda.so.1"];
/** Opened by name when first needed, so not among those that it is linked to. */
const cudaOnDemand = "libcudnn.so.9";

async function checkCuda(): Promise<Finding[]> {
  const compiled = await compiledFinding("cuda", "use linux x64 for CUDA, or another provider");
  if (!compiled.ok) return [compiled];
  const { folder, script, version } = binaries();
  const provider = join(folder, "libonnxruntime_providers_cuda.so");
  // The script reads this variable before npm's settings; run by hand, npm's allowScripts does not matter either.
  const install =
    `run "ONNXRUNTIME_NODE_INSTALL=true node ${script}", or copy the file into that folder from Python's wheel ` +
    `onnxruntime-gpu==${version} (pip download --no-deps; in it, onnxruntime/capi/)`;
  const files = [
    fileFinding(provider, install),
    fileFinding(join(folder, "libonnxruntime_providers_shared.so"), install),
  ];
  const linked = files[0].ok ? await linkedLibraries(provider) : new Map<string, string | undefined>();
  const cache = await linkerCache();
  const names = linked.size > 0 ? [...linked.keys()] : cudaLibraries.map((name) => `lib${name}`);
  const libraries = [...names, cudaOnDemand].map((name) => {
    const path = linked.get(name) ?? findLibrary(name, cache);
    // The file behind the links carries the full version in its name, e.g. libcuda.so.580.65.06.
    return finding(name, path && realpathSync(path), "not found by the dynamic linker", cudaFix(name));
  });
  return [compiled, ...files, ...libraries];
}

function cudaFix(library: string): string {
  if (library.startsWith("libcuda.")) return "install the NVIDIA driver (CUDA 13 needs version 580 or later)";
  const product = library.startsWith("libcudnn.") ? "cuDNN 9 for the CUDA version above" : "the CUDA toolkit";
  return `install ${product}, which brings ${library}, and name its folder in LD_LIBRARY_PATH`;
}

async function checkWebgpu(): Promise<Finding[]> {
  const compiled = await compiledFinding("webgpu", "use Linux on x64, Windows, or macOS on arm64");
  // Windows and macOS bring their own graphics interface.
  if (!compiled.ok || process.platform !== "linux") return [compiled];
  const loader = findLibrary("libvulkan.so.1", await linkerCache());
  const driverFix = "install the GPU vendor's driver, or name a driver's .json file in VK_DRIVER_FILES";
  return [
    compiled,
    finding("libvulkan.so.1", loader && realpathSync(loader), "not found", "install it (Debian: libvulkan1)"),
    finding("Vulkan drivers", vulkanDrivers().join(", ") || undefined, "none found", driverFix),
  ];
}

/** The manifests the loader would read (https://github.com/KhronosGroup/Vulkan-Loader, LoaderDriverInterface.md). */
function vulkanDrivers(): string[] {
  const named = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  if (named !== undefined) return named.split(delimiter).filter(existsSync);
  return ["/etc", "/usr/local/etc", "/usr/local/share", "/usr/share"]
    .map((base) => join(base, "vulkan/icd.d"))
    .filter(existsSync)
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
    .filter((file) => file.endsWith(".json"));
}

/** The CUDA libraries that a library is linked to, each with its path or undefined when the linker cannot find it. */
async function linkedLibraries(file: string): Promise<Map<string, string | undefined>> {
  const { stdout } = await run("ldd", [file]).catch(() => ({ stdout: "" }));
  const found = stdout.matchAll(/^\s*(lib(?:cu|nv)\S+) => (\/\S+)?/gm);
  return new Map(Array.from(found, ([, name, path]) => [name, path]));
}

/** What ldconfig knows: library name to path. */
async function linkerCache(): Promise<Map<string, string>> {
  const { stdout } = await run("/sbin/ldconfig", ["-p"]).catch(() => ({ stdout: "" }));
  const entries = stdout.matchAll(/^\s*(\S+) \(libc6,(?:x86-64|AArch64)[^)]*\) => (\S+)/gm);
  return new Map(Array.from(entries, ([, name, path]) => [name, path]));
}

function findLibrary(name: string, cache: ReadonlyMap<string, string>): string | undefined {
  const folders = process.env.LD_LIBRARY_PATH?.split(delimiter).filter(Boolean) ?? [];
  return [...folders.map((folder) => join(folder, name)), cache.get(name) ?? ""].find(existsSync);
}

function fileFinding(path: string, fix: string): Finding {
  return finding(basename(path), existsSync(path) ? path : undefined, `not in ${dirname(path)}`, fix);
}

function finding(subject: string, found: string | undefined, missing: string, fix: string): Finding {
  return found === undefined
    ? { subject, ok: false, detail: missing, fix }
    : { subject, ok: true, detail: found };
}

function usage(field: keyof SessionSettings, what: string, fix: string): GanOnnxError {
  return new GanOnnxError({ what, where: field, fix, kind: "usage" });
}
