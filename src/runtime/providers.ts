import type { InferenceSession } from "onnxruntime-node";
import { GanOnnxError, setting } from "../error.js";
import type { Finding } from "./provider-findings.node.js";
import { webgpuFor } from "./webgpu-nodes.js";

export interface SessionSettings {
  /** The GPU, counted from 0. Only for `cuda`. */
  readonly device?: number;
  /** The number of threads for CPU operators. The default of ONNX Runtime is one per physical core. */
  readonly threads?: number;
  /**
   * Whether threads that wait for work do so without sleeping, the default of ONNX Runtime. It makes many short
   * operators faster, and takes time from everything else on the machine.
   */
  readonly spinning?: boolean;
  /**
   * Let nodes without a kernel of the GPU provider run on the CPU. Otherwise creating the session throws, so that there
   * is no silent slowdown. WebGPU has no kernel for `Loop` (1.30), so graphs with loops need this option.
   */
  readonly cpuNodes?: boolean;
  /**
   * Plan one block of memory for all intermediate results of inputs of the same shapes. Calls are faster by some
   * percent, and take up to twice the memory (bench/README.md). The default is no.
   */
  readonly memoryPattern?: boolean;
}

const findings = () => import("./provider-findings.node.js");

export interface ProviderRow {
  readonly choosesDevice: boolean;
  /** Whether the CPU could run its nodes instead. This must be requested. */
  readonly accelerator: boolean;
  readonly check: () => Promise<readonly Finding[]>;
  /** Environment variables for its libraries. The user's own values override them. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What to do when `check` finds nothing wrong and a session still cannot be created. */
  readonly remedy: string;
}

/** All execution providers, by name. */
export const providers = {
  cpu: {
    choosesDevice: false,
    accelerator: false,
    check: async () => (await findings()).checkBinding(),
    remedy: "install onnxruntime-node again, on a platform that it supports",
  },
  cuda: {
    choosesDevice: true,
    accelerator: true,
    check: async () => (await findings()).checkCuda(),
    // Products of float32 numbers must be float32. By default ONNX Runtime lets cuBLAS and cuDNN round them to the ten
    // bits of TF32, and onnxruntime-node does not pass on the option use_tf32.
    environment: { NVIDIA_TF32_OVERRIDE: "0" },
    remedy:
      "see that nvidia-smi lists the GPU (the first is device 0) and a driver for this CUDA (CUDA 13: 580 or later)",
  },
  webgpu: {
    choosesDevice: false,
    accelerator: true,
    check: async () => (await findings()).checkWebgpu(),
    remedy: "install the GPU vendor's driver; on Linux, vulkaninfo --summary must list the GPU",
  },
} satisfies Record<string, ProviderRow>;

export type ProviderName = keyof typeof providers;

export const providerNames = Object.keys(providers) as readonly ProviderName[];

/**
 * Session options of onnxruntime-node for a provider.
 *
 * @throws {@link GanOnnxError} (usage) when the device or the number of threads is invalid.
 */
export function sessionOptions(
  name: ProviderName,
  settings: SessionSettings = {},
): InferenceSession.SessionOptions {
  const { device, threads, spinning = true, cpuNodes = false, memoryPattern = false } = settings;
  const { choosesDevice, accelerator }: ProviderRow = providers[name];
  if (device !== undefined && !choosesDevice) {
    throw usage("device", device, `${name} cannot choose a device`, "leave it out");
  }
  if (device !== undefined && !(Number.isInteger(device) && device >= 0)) {
    throw usage("device", device, "is not a device number", "use 0 for the first GPU");
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw usage("threads", threads, "is not a number of threads", "use 1 or more");
  }
  const session = {
    ...(accelerator && !cpuNodes && { disable_cpu_ep_fallback: "1" }),
    ...(!spinning && { intra_op: { allow_spinning: "0" } }),
  };
  return {
    // Native warnings report shape arithmetic on the CPU, which is intended. Errors arrive as exceptions.
    logSeverityLevel: 3,
    enableMemPattern: memoryPattern,
    executionProviders: [device === undefined ? name : { name, deviceId: device }],
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    // Values are strings; nested keys are joined by dots (onnxruntime_session_options_config_keys.h).
    ...(Object.keys(session).length > 0 && { extra: { session } }),
  };
}

/** {@link sessionOptions} for a model: nodes that the provider claims and cannot run stay on the CPU. */
export async function optionsFor(
  model: Uint8Array,
  name: ProviderName,
  settings: SessionSettings = {},
): Promise<InferenceSession.SessionOptions> {
  const options = sessionOptions(name, settings);
  return name === "webgpu" ? { ...options, executionProviders: [await webgpuFor(model)] } : options;
}

function usage(key: keyof SessionSettings, value: number, what: string, fix: string): GanOnnxError {
  return new GanOnnxError({ what, where: setting(key, value), fix, kind: "usage" });
}
