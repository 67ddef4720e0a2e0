import { declarationsOf } from "../networks/index.js";
import { IR_VERSION, OPSET } from "../onnx/index.js";
import type { Design } from "../recipes/index.js";
import { formats, producer } from "../version.js";
import { base64Of, embedded } from "./embedded.js";
import type { GivenFile } from "./file-design.js";
import { nextState, parametersState, tensorName } from "./names.js";
import { exportedState } from "./state.js";
import type { StepGraph } from "./step-graph.js";

/** What else a training needs to start. A manifest contains it. */
export interface Carried {
  /** The files that replace networks, by network. */
  readonly files?: ReadonlyMap<string, Pick<GivenFile, "path" | "bytes">>;
  /** The initial weights, see `encodeStart`, unless they follow from the seed. */
  readonly start?: Uint8Array;
}

/**
 * The manifest that describes the inputs of a training graph for a runner, as JSON.
 *
 * @param configuration the resolved configuration, copied into the manifest.
 * @param train size and SHA-256 of the file `train.onnx`.
 */
export function manifestOf(
  design: Design,
  configuration: Readonly<Record<string, unknown>>,
  graph: StepGraph,
  train: { readonly bytes: number; readonly sha256: string },
  { files = new Map(), start }: Carried = {},
): string {
  const { recipe, image } = design;
  const manifest = {
    format: formats.manifest,
    producer,
    recipe,
    configuration,
    image,
    opset: OPSET,
    irVersion: IR_VERSION,
    inputs: [
      ...graph.batches.map(({ name, role, dtype, inputShape }) => ({ name, role, dtype, shape: inputShape })),
      ...graph.states.map(({ name, shape }) => ({ name, role: "state", dtype: "float32", shape })),
    ],
    outputs: [
      ...graph.metrics.map(({ name, shape }) => ({ name, role: "metric", dtype: "float32", shape })),
      ...graph.states.map(({ name, shape }) => ({
        name: nextState(name),
        role: "state",
        replaces: name,
        dtype: "float32",
        shape,
      })),
    ],
    parameters: Object.entries(design.networks).flatMap(([network, definition]) =>
      declarationsOf(definition).parameters.map(({ name, shape, offset, size }) => ({
        name: tensorName(network, name),
        shape,
        state: parametersState(network),
        offset,
        size,
      })),
    ),
    ...exportedOf(design),
    ...(files.size > 0 && { networks: embedded(files) }),
    ...(start && { start: base64Of(start) }),
    files: { "train.onnx": train },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function exportedOf(design: Design) {
  const { exported } = design;
  const { network, range, classes } = exported;
  const state = exportedState(design);
  return exported.kind === "generator"
    ? { sampler: { network, state, latent: exported.latent, range, classes } }
    : { classifier: { network, state, range, classes } };
}
