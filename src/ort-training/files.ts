import { join } from "node:path";
import { seal } from "../checksum.js";
import { readBytes, writeAtomically } from "../files.node.js";
import { encodeModel } from "../onnx/index.js";
import type { Design } from "../recipes/index.js";
import type { Tensors } from "../tensors/tensor.js";
import { CHECKPOINT, type OrtArtifacts, type OrtFiles, requireOrtForm, traceForOrt } from "./artifacts.js";
import { decodeOrtCheckpoint, encodeOrtCheckpoint } from "./checkpoint.js";
import { ortCheckpointOf, stateOfOrt } from "./state.js";

/** The files of one network with a state. */
export function filesOf(design: Design, artifacts: OrtArtifacts, state: Tensors): OrtFiles {
  return {
    "training_model.onnx": seal(encodeModel(artifacts.training)),
    "eval_model.onnx": seal(encodeModel(artifacts.eval)),
    "optimizer_model.onnx": seal(encodeModel(artifacts.optimizer)),
    [CHECKPOINT]: encodeOrtCheckpoint(ortCheckpointOf(design, artifacts, state)),
  };
}

/** Write the artifacts of a design, one folder per network. Returns the folders. */
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

/**
 * Read the files of one network from its folder.
 *
 * @throws {@link GanOnnxError} when one is missing.
 */
export async function readOrtFiles(folder: string): Promise<OrtFiles> {
  const read = (name: string) => readBytes(join(folder, name));
  return {
    "training_model.onnx": await read("training_model.onnx"),
    "eval_model.onnx": await read("eval_model.onnx"),
    "optimizer_model.onnx": await read("optimizer_model.onnx"),
    [CHECKPOINT]: await read(CHECKPOINT),
  };
}

/** Write only the checkpoints of a state, `<network>/checkpoint`. Returns their paths. */
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
 * Read the state from the checkpoints in a folder, `<network>/checkpoint` for each network of a design.
 *
 * @throws {@link GanOnnxError} when a file is missing or damaged, or belongs to another network.
 */
export async function readOrtCheckpoints(folder: string, design: Design): Promise<Tensors> {
  requireOrtForm(design, folder);
  const read = Object.keys(design.networks).map(async (network) => {
    const where = join(folder, network, CHECKPOINT);
    return [network, { checkpoint: decodeOrtCheckpoint(await readBytes(where), where), where }] as const;
  });
  return stateOfOrt(design, new Map(await Promise.all(read)));
}
