import { join } from "node:path";
import { seal } from "../checksum.js";
import { readBytes, writeAtomically } from "../files.node.js";
import { encodeModel } from "../onnx/index.js";
import type { Design } from "../recipes/index.js";
import type { Tensors } from "../tensors/tensor.js";
import { CHECKPOINT, type OrtArtifacts, type OrtFiles, requireOrtForm, traceForOrt } from "./artifacts.js";
import { decodeOrtCheckpoint, encodeOrtCheckpoint } from "./checkpoint.js";
import { ortCheckpointOf, stateOfOrt } from "./state.js";

/** The files of one network, at a state. */
export function filesOf(design: Design, artifacts: OrtArtifacts, state: Tensors): OrtFiles {
  return {
    "training_model.onnx": seal(encodeModel(artifacts.training)),
    "eval_model.onnx": seal(encodeModel(artifacts.eval)),
    "optimizer_model.onnx": seal(encodeModel(artifacts.optimizer)),
    [CHECKPOINT]: encodeOrtCheckpoint(ortCheckpointOf(design, artifacts, state)),
  };
}

/** Write the artifacts of a design, each network's into a folder of its own; returns those folders. */
export async function writeOrtArtifacts(folder: string, design: Design, state: Tensors): Promise<string[]> {
  const folders: string[] = [];
  for (const artifacts of traceForOrt(design)) {
    const own = join(folder, artifacts.network);
    for (const [name, bytes] of Object.entries(filesOf(design, artifacts, state))) {
      await writeAtomically(join(own, name), bytes);
    }
    folders.push(own);
  }
  return folders;
}

/** The files of one network, from the folder that they were written into. Throws naming the one that is missing. */
export async function readOrtFiles(folder: string): Promise<OrtFiles> {
  const read = (name: string) => readBytes(join(folder, name));
  return {
    "training_model.onnx": await read("training_model.onnx"),
    "eval_model.onnx": await read("eval_model.onnx"),
    "optimizer_model.onnx": await read("optimizer_model.onnx"),
    [CHECKPOINT]: await read(CHECKPOINT),
  };
}

/** Write a state as checkpoints alone, `<network>/checkpoint`; returns their paths. */
export async function writeOrtCheckpoints(folder: string, design: Design, state: Tensors): Promise<string[]> {
  const paths: string[] = [];
  for (const artifacts of traceForOrt(design)) {
    const path = join(folder, artifacts.network, CHECKPOINT);
    await writeAtomically(path, encodeOrtCheckpoint(ortCheckpointOf(design, artifacts, state)));
    paths.push(path);
  }
  return paths;
}

/**
 * The state that the checkpoints in a folder hold, `<network>/checkpoint` for each network of a design.
 *
 * @throws GanOnnxError naming the file that is missing, damaged or another network's.
 */
export async function readOrtCheckpoints(folder: string, design: Design): Promise<Tensors> {
  requireOrtForm(design, folder);
  const read = Object.keys(design.networks).map(async (network) => {
    const where = join(folder, network, CHECKPOINT);
    return [network, { checkpoint: decodeOrtCheckpoint(await readBytes(where), where), where }] as const;
  });
  return stateOfOrt(design, new Map(await Promise.all(read)));
}
