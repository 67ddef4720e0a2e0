import { GanOnnxError, setting, text } from "../error.js";
import type { Design } from "../recipes/index.js";
import type { Engine } from "../runtime/engine.js";
import type { ProviderName } from "../runtime/providers.js";
import type { SessionPlace } from "../runtime/session.node.js";
import type { Tensors } from "../tensors/tensor.js";
import { plansMemory } from "../training/memory-pattern.js";

/** The parts of a training that an engine needs. */
export interface EngineSource {
  readonly design: Design;
  readonly model: Uint8Array;
  readonly place: SessionPlace;
  readonly batchSize: number;
}

/** Software that can run the steps of a training. */
interface Runtime {
  readonly about: string;
  /** The execution providers that it supports. The default is all. */
  readonly providers?: readonly ProviderName[];
  /** Why it cannot train a design; undefined when it can. */
  obstacle?(design: Design): Promise<string | undefined>;
  /** Why its runs cannot be resumed from their checkpoints; undefined when they can. */
  readonly unresumable?: string;
  /**
   * Load a training with a state.
   *
   * @throws {@link GanOnnxError} when the runtime is not installed, or refuses the model.
   */
  open(source: EngineSource, state: Tensors): Promise<Engine>;
}

/** All runtimes, by name. */
export const runtimes = {
  onnxruntime: {
    about: "train.onnx in ONNX Runtime",
    async open({ design, model, place, batchSize }, state) {
      const { Session } = await import("../runtime/session.node.js");
      const session = await Session.open(
        model,
        { ...place, memoryPattern: plansMemory({ ...design, batchSize }) },
        "train.onnx",
      );
      await session.setState(state);
      return session;
    },
  },
  "ort-training": {
    about: "the artifacts for ORT's own training API (slow)",
    providers: ["cpu"],
    async obstacle(design) {
      const { obstacle } = await import("../ort-training/artifacts.js");
      return obstacle(design);
    },
    unresumable: "ORT's training runtime returns the parameters, but not Adam's moments",
    async open({ design }, state) {
      const { OrtTraining } = await import("../ort-training/engine.js");
      return OrtTraining.open(design, state);
    },
  },
} satisfies Record<string, Runtime>;

export type RuntimeName = keyof typeof runtimes;
export const runtimeNames = Object.keys(runtimes) as RuntimeName[];

/** The runtime of a run, or the default one. */
export function runtimeOf({ runtime = "onnxruntime" }: { readonly runtime?: RuntimeName }): Runtime {
  return runtimes[runtime];
}

type Choice = { readonly runtime?: RuntimeName; readonly ep: ProviderName };

/**
 * Check that a runtime supports an execution provider.
 *
 * @throws {@link GanOnnxError} (usage) when it does not.
 */
export function requireRuntimeProvider({ runtime, ep }: Choice): void {
  const { providers } = runtimeOf({ runtime });
  if (!providers || providers.includes(ep)) return;
  throw new GanOnnxError({
    what: `the runtime ${runtime} has no other provider than ${providers.join(", ")}`,
    where: setting("ep", ep),
    fix: text`leave it out, or leave ${setting("runtime")} out`,
    kind: "usage",
  });
}

/**
 * Check that a runtime can train a design.
 *
 * @throws {@link GanOnnxError} (usage) when it cannot.
 */
export async function requireTrainable({ runtime }: Pick<Choice, "runtime">, design: Design): Promise<void> {
  const reason = await runtimeOf({ runtime }).obstacle?.(design);
  if (reason === undefined) return;
  throw new GanOnnxError({
    what: `the recipe does not fit: ${reason}`,
    where: setting("runtime", runtime),
    fix: "choose another recipe, or leave it out",
    kind: "usage",
  });
}

/**
 * Check that the checkpoint of a run contains everything that resuming needs.
 *
 * @throws {@link GanOnnxError} (usage) when the run's runtime cannot resume it.
 */
export function requireResumable({ runtime }: Pick<Choice, "runtime">, run: string): void {
  const { unresumable } = runtimeOf({ runtime });
  if (unresumable === undefined) return;
  throw new GanOnnxError({
    what: `its checkpoint is not complete: ${unresumable}`,
    where: run,
    fix: text`export its weights with ${setting("format", "safetensors")}, and start a new run with ${setting("init")}`,
    kind: "usage",
  });
}
