import { execFile } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

/** One thing that was checked, e.g. a library: its path or version, or what is wrong and how to fix it. */
export interface Finding {
  readonly subject: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix?: string;
}

const require = createRequire(import.meta.url);
const run = promisify(execFile);

/** The files of onnxruntime-node for this machine. */
function binaries(): { folder: string; script: string; version: string } {
  const root = dirname(dirname(require.resolve("onnxruntime-node")));
  const { version } = require(join(root, "package.json")) as { version: string };
  const folder = join(root, "bin/napi-v6", process.platform, process.arch);
  return { folder, script: join(root, "script/install.js"), version };
}

/** The version of ONNX Runtime that is installed. */
export function onnxruntimeVersion(): string {
  return binaries().version;
}

const machine = `${process.platform} ${process.arch}`;

/** Check the native library itself. */
export async function checkBinding(): Promise<Finding[]> {
  const { folder, version } = binaries();
  return [
    fileFinding(join(folder, "onnxruntime_binding.node"), "use Linux or Windows, or macOS on arm64"),
    { subject: "onnxruntime-node", ok: true, detail: `${version}, Node ${process.version}, ${machine}` },
  ];
}

/** Whether onnxruntime-node was compiled with a provider. This does not depend on the machine. */
async function compiledFinding(name: string, fix: string): Promise<Finding> {
  const has = await import("onnxruntime-node").then(
    ({ listSupportedBackends }) => listSupportedBackends().some((backend) => backend.name === name),
    () => false,
  );
  return finding(`build for ${machine}`, has ? `with ${name}` : undefined, `without ${name}`, fix);
}

/**
 * The libraries that the provider of ONNX Runtime 1.30 links. If its file exists, they are read from the file instead.
 */
const cudaLibraries = ["cublasLt.so.13", "cublas.so.13", "curand.so.10", "cudart.so.13", "cuda.so.1"];
/** Libraries that the provider and cuDNN load on demand, so they are not linked. */
const cudaOnDemand = (cuda: string) => ["libcudnn.so.9", `libnvrtc.so.${cuda}`];

/** The product of each library, and its packages for CUDA 13 in NVIDIA's apt repository and on PyPI. */
const cudaPackages: Readonly<Record<string, readonly [product: string, apt: string, pip: string]>> = {
  libcudart: ["the CUDA runtime", "cuda-cudart-13-0", "nvidia-cuda-runtime~=13.0"],
  libcublas: ["cuBLAS", "libcublas-13-0", "nvidia-cublas~=13.0"],
  libcublasLt: ["cuBLAS", "libcublas-13-0", "nvidia-cublas~=13.0"],
  libcurand: ["cuRAND", "libcurand-13-0", "nvidia-curand~=10.0"],
  libnvrtc: ["NVRTC", "cuda-nvrtc-13-0", "nvidia-cuda-nvrtc~=13.0"],
  libcudnn: ["cuDNN 9", "libcudnn9-cuda-13", "nvidia-cudnn-cu13~=9.0"],
};

/** The minimum driver for each CUDA version: https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/ */
const driverFor: Readonly<Record<string, number>> = { 12: 525, 13: 580 };

/** Check ONNX Runtime's CUDA library, and the CUDA libraries that it needs. */
export async function checkCuda(): Promise<Finding[]> {
  const compiled = await compiledFinding("cuda", "use linux x64 for CUDA, or another provider");
  if (!compiled.ok) return [compiled];
  const { folder, script, version } = binaries();
  const provider = join(folder, "libonnxruntime_providers_cuda.so");
  // The script reads this variable before npm's settings. When it is run by hand, npm's allowScripts has no effect.
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
  const cuda = /libcudart\.so\.(\d+)/.exec(names.join(" "))?.[1] ?? "13";
  const libraries = [...names, ...cudaOnDemand(cuda)].map((name) => {
    const path = linked.get(name) ?? findLibrary(name, cache);
    // The link's target has the full version in its name, e.g. libcuda.so.580.65.06.
    const file = path && realpathSync(path);
    if (file && isOldDriver(file, cuda))
      return { subject: name, ok: false, detail: `${file}, too old`, fix: cudaFix(name, cuda) };
    return finding(name, file, "not found by the dynamic linker", cudaFix(name, cuda));
  });
  return [compiled, ...files, ...libraries];
}

function isOldDriver(file: string, cuda: string): boolean {
  const version = /libcuda\.so\.(\d{2,})\./.exec(file)?.[1];
  return version !== undefined && Number(version) < driverFor[cuda];
}

function cudaFix(library: string, cuda: string): string {
  const name = library.slice(0, library.indexOf("."));
  if (name === "libcuda") return `install the NVIDIA driver, ${driverFor[cuda]} or later for CUDA ${cuda}`;
  const [product, apt, pip] = cudaPackages[name] ?? [`what brings ${library}`];
  const packages = cuda === "13" && apt ? ` (apt: ${apt} from NVIDIA's repository; pip: ${pip})` : "";
  return `install ${product} for CUDA ${cuda}${packages}; unless ldconfig knows its folder, name that in LD_LIBRARY_PATH`;
}

/** Check what WebGPU needs: on Linux, Vulkan. */
export async function checkWebgpu(): Promise<Finding[]> {
  const compiled = await compiledFinding("webgpu", "use Linux on x64, Windows, or macOS on arm64");
  // Windows and macOS include a graphics API.
  if (!compiled.ok || process.platform !== "linux") return [compiled];
  const loader = findLibrary("libvulkan.so.1", await linkerCache());
  const driverFix = "install the GPU vendor's driver, or name a driver's .json file in VK_DRIVER_FILES";
  return [
    compiled,
    finding("libvulkan.so.1", loader && realpathSync(loader), "not found", "install it (Debian: libvulkan1)"),
    finding("Vulkan drivers", vulkanDrivers().join(", ") || undefined, "none found", driverFix),
  ];
}

/**
 * The driver manifests that the loader would read (https://github.com/KhronosGroup/Vulkan-Loader,
 * LoaderDriverInterface.md).
 */
function vulkanDrivers(): string[] {
  const named = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  if (named !== undefined) return named.split(delimiter).filter(existsSync);
  return ["/etc", "/usr/local/etc", "/usr/local/share", "/usr/share"]
    .map((base) => join(base, "vulkan/icd.d"))
    .filter(existsSync)
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
    .filter((file) => file.endsWith(".json"));
}

/** The CUDA libraries that a library links, with their paths; undefined when the linker cannot find one. */
async function linkedLibraries(file: string): Promise<Map<string, string | undefined>> {
  const { stdout } = await run("ldd", [file]).catch(() => ({ stdout: "" }));
  const found = stdout.matchAll(/^\s*(lib(?:cu|nv)\S+) => (\/\S+)?/gm);
  return new Map(Array.from(found, ([, name, path]) => [name, path]));
}

/** The libraries that ldconfig lists: name to path. */
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
