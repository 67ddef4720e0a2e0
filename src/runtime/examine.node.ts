import { GanOnnxError, setting, text } from "../error.js";
import { add, build, input } from "../graph/index.js";
import { producer } from "../version.js";
import type { Finding } from "./provider-findings.node.js";
import {
  optionsFor,
  type ProviderName,
  type ProviderRow,
  providers,
  type SessionSettings,
  sessionOptions,
} from "./providers.js";
import { sessionInChild } from "./session-child.node.js";
import { unloadable } from "./unloadable.node.js";

/** The result of `doctor` for a provider. `available` is the result of a real session; the findings explain it. */
export interface ProviderReport {
  readonly name: ProviderName;
  readonly available: boolean;
  readonly findings: readonly Finding[];
  /** Why it is not available, if possible in the words of the native library. */
  readonly reason?: string;
  readonly fix?: string;
}

export interface ProbeResult {
  readonly ok: boolean;
  readonly reason?: string;
}

/** Check a provider and try it with a small model, see {@link probe}. Failures are reported, not thrown. */
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
  const machine = unloadable(reason ?? "");
  if (machine) return { name, available: false, findings, reason: machine.what, fix: machine.fix };
  const fix = findings.find((finding) => finding.fix !== undefined)?.fix ?? row.remedy;
  return { name, available: false, findings, reason, fix };
}

const examined = new Map<string, Promise<ProviderReport>>();

/**
 * Check that a provider is available before it is used. Each device is checked once per process. The CPU is always
 * available.
 *
 * @throws {@link GanOnnxError} when it is not available, with the reason and what to install.
 */
export async function requireProvider(name: ProviderName, device?: number): Promise<void> {
  sessionOptions(name, { device }); // checks the device
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
    where:
      device === undefined ? setting("ep", name) : text`${setting("ep", name)} ${setting("device", device)}`,
    fix: `${fix}; \`gan-onnx doctor\` shows more`,
  });
}

/** A model that adds 1. Every provider supports it. */
async function smallModel(): Promise<Uint8Array> {
  const { encodeModel } = await import("../onnx/index.js");
  const x = input("x", "float32", [2]);
  return encodeModel(
    build({ name: "probe", doc: "Adds 1.", producer }, { inputs: [x], outputs: { y: add(x, 1) } }),
  );
}

/**
 * Check whether a provider can run a whole model, by running it once in a separate process, see {@link sessionInChild}.
 * `timeout` is in milliseconds; loading CUDA takes seconds.
 */
export async function probe(
  name: ProviderName,
  model: Uint8Array,
  settings: SessionSettings = {},
  timeout = 60_000,
): Promise<ProbeResult> {
  const { ok, reason } = await sessionInChild(model, await optionsFor(model, name, settings), {
    run: true,
    timeout,
  });
  return ok ? { ok } : { ok, reason };
}
