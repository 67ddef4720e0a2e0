import type { InferenceSession } from "onnxruntime-node";
import { GanOnnxError } from "../error.js";
import { add, build, input } from "../graph/index.js";
import { producer } from "../version.js";
import { checkBinding, checkCuda, checkWebgpu, type Finding } from "./provider-findings.js";
import { sessionInChild } from "./session-child.js";

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
  /** What its libraries read from the environment, where the user has not said otherwise. */
  readonly environment?: Readonly<Record<string, string>>;
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
    // Products of float32 numbers are to be float32: ONNX Runtime lets cuBLAS and cuDNN round them to TF32's ten bits,
    // and onnxruntime-node passes its option use_tf32 not on.
    environment: { NVIDIA_TF32_OVERRIDE: "0" },
    remedy:
      "see that nvidia-smi lists the GPU (--device counts from 0) and a driver for this CUDA (CUDA 13: 580 or later)",
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
    // Native warnings tell of shape arithmetic on the CPU, which is meant to be there; errors reach us as exceptions.
    logSeverityLevel: 3,
    executionProviders: [device === undefined ? name : { name, deviceId: device }],
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    // Values are strings, nested keys are joined by dots (onnxruntime_session_options_config_keys.h).
    ...(accelerator && !cpuNodes && { extra: { session: { disable_cpu_ep_fallback: "1" } } }),
  };
}

/** Look at a provider, and try it with a small model, see {@link probe}. What fails is reported, not thrown. */
export async function examine(
  name: ProviderName,
  { device }: Pick<SessionSettings, "device"> = {},
): Promise<ProviderReport> {
  const row: ProviderRow = providers[name];
  const [findings, { ok, reason }] = await Promise.all([
    row.check(),
    probe(name, await smallModel(), { device }),
  ]);
  if (ok) return { name, available: true, findings };
  const fix = findings.find((finding) => finding.fix !== undefined)?.fix ?? row.remedy;
  return { name, available: false, findings, reason, fix };
}

const examined = new Map<string, Promise<ProviderReport>>();

/**
 * Make sure that a provider is there, before anything is built on it; each device is examined once in a process. The
 * CPU always is.
 *
 * @throws GanOnnxError with the reason and what to install.
 */
export async function requireProvider(name: ProviderName, device?: number): Promise<void> {
  if (name === "cpu") return;
  const { environment = {} }: ProviderRow = providers[name];
  for (const [variable, value] of Object.entries(environment)) process.env[variable] ??= value;
  const key = `${name} ${device ?? ""}`;
  const report = examined.get(key) ?? examine(name, { device });
  examined.set(key, report);
  const { available, reason, fix } = await report;
  if (available) return;
  throw new GanOnnxError({
    what: `the execution provider is not available (${reason})`,
    where: device === undefined ? `--ep ${name}` : `--ep ${name} --device ${device}`,
    fix: `${fix}; \`gan-onnx doctor\` tells more`,
  });
}

/** Adds 1: whatever a provider can do, it can do this. */
async function smallModel(): Promise<Uint8Array> {
  const { encodeModel } = await import("../graph/onnx.js");
  const x = input("x", "float32", [2]);
  return encodeModel(
    build({ name: "probe", doc: "Adds 1.", producer }, { inputs: [x], outputs: { y: add(x, 1) } }),
  );
}

/**
 * Whether a provider can run a model, by running it once, all of it on that provider, in a process of its own, see
 * {@link sessionInChild}. `timeout` is in milliseconds; loading CUDA takes seconds.
 */
export async function probe(
  name: ProviderName,
  model: Uint8Array,
  settings: SessionSettings = {},
  timeout = 60_000,
): Promise<ProbeResult> {
  const { ok, reason } = await sessionInChild(model, sessionOptions(name, settings), { run: true, timeout });
  return ok ? { ok } : { ok, reason };
}

function usage(field: keyof SessionSettings, what: string, fix: string): GanOnnxError {
  return new GanOnnxError({ what, where: field, fix, kind: "usage" });
}
