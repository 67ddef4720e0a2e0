import { GanOnnxError } from "../error.js";
import type { Design } from "../recipes/index.js";
import type { Engine } from "../runtime/engine.js";
import { Session, type SessionPlace } from "../runtime/session.node.js";
import type { Tensors } from "../tensors/tensor.js";

/** What can train: `train.onnx` in the default runtime, or a design's artifacts in ORT's own training runtime. */
export const runtimeNames = ["onnxruntime", "ort-training"] as const;
export type RuntimeName = (typeof runtimeNames)[number];

/**
 * Check that the checkpoint of a run holds all that going on takes.
 *
 * @throws GanOnnxError (usage) naming the run when it was made by a runtime that does not tell.
 */
export function requireMoments({ runtime }: { readonly runtime?: RuntimeName }, run: string): void {
  if (runtime !== "ort-training") return;
  throw new GanOnnxError({
    what: "was made by ORT's training runtime, which gives back parameters and no moments of Adam",
    where: run,
    fix: "start a new run from `gan-onnx export --format safetensors` by --init",
    kind: "usage",
  });
}

/** A training as an engine needs it. */
export interface EngineSource {
  readonly design: Design;
  readonly model: Uint8Array;
  readonly place: SessionPlace;
  readonly runtime?: RuntimeName;
}

/** Load a training at a state. Throws {@link GanOnnxError} when the runtime is not there, or refuses the model. */
export async function openEngine(
  { design, model, place, runtime }: EngineSource,
  state: Tensors,
): Promise<Engine> {
  if (runtime === "ort-training") {
    const { OrtTraining } = await import("../ort-training/engine.js");
    return OrtTraining.open(design, state);
  }
  const session = await Session.open(model, place, "train.onnx");
  await session.setState(state);
  return session;
}
