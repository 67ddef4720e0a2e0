import type { InferenceSession } from "onnxruntime-node";
import { GanOnnxError, setting } from "../error.js";
import type { Finding } from "./provider-findings.node.js";

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

const findings = () => import("./provider-findings.node.js");

export interface ProviderRow {
  readonly choosesDevice: boolean;
  /** Whether the CPU could step in for it, which must be asked for. */
  readonly accelerator: boolean;
  readonly check: () => Promise<readonly Finding[]>;
  /** What its libraries read from the environment, where the user has not said otherwise. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What to do when nothing that `check` looks at is wrong, yet no session can be made. */
  readonly remedy: string;
}

/** Every execution provider by its name. */
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
    // Products of float32 numbers are to be float32: ONNX Runtime lets cuBLAS and cuDNN round them to TF32's ten bits,
    // and onnxruntime-node passes its option use_tf32 not on.
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
    throw usage("device", device, `${name} cannot choose a device`, "leave it out");
  }
  if (device !== undefined && !(Number.isInteger(device) && device >= 0)) {
    throw usage("device", device, "is not a device number", "use 0 for the first GPU");
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw usage("threads", threads, "is not a number of threads", "use 1 or more");
  }
  return {
    // Native warnings tell of shape arithmetic on the CPU, which is meant to be there; errors reach us as exceptions.
    logSeverityLevel: 3,
    executionProviders: [device === undefined ? name : { name, deviceId: device }],
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    // Values are strings, nested keys are joined by dots (onnxruntime_session_options_config_keys.h).
    ...(accelerator && !cpuNodes && { extra: { session: { disable_cpu_ep_fallback: "1" } } }),
  };
}

function usage(key: keyof SessionSettings, value: number, what: string, fix: string): GanOnnxError {
  return new GanOnnxError({ what, where: setting(key, value), fix, kind: "usage" });
}
