import { GanOnnxError, setting, text } from "../error.js";
import { declarationsOf } from "../networks/index.js";
import type { Design } from "../recipes/index.js";
import { decodeSafetensors, encodeSafetensors } from "../tensors/safetensors.js";
import { floatsIn, type Tensor, type Tensors } from "../tensors/tensor.js";
import { differences, type Expected } from "./expected.js";
import { tensorName } from "./names.js";
import { namedTensors, stateWith } from "./state.js";

/** PyTorch counts the batches that a normalisation has seen, and needs the count for nothing we compute. */
const COUNTER = ".num_batches_tracked";

/** The tensors of all networks, as `<network>.<tensor>`. */
function expectedWeights(design: Design): Map<string, Expected> {
  return new Map(
    Object.entries(design.networks).flatMap(([network, definition]) => {
      const { parameters, buffers } = declarationsOf(definition);
      return [...parameters, ...buffers].map(
        ({ name, shape }) => [tensorName(network, name), { dtype: "float32", shape }] as const,
      );
    }),
  );
}

/**
 * The state of a training that starts from given weights: a safetensors file with the parameters and buffers of all
 * networks, named `generator.gen.0.weight`, or as in PyTorch's own state_dict, `gen.0.weight`, where only one network
 * has a tensor of that name.
 *
 * @throws GanOnnxError listing everything that is missing, extra or of another shape.
 */
export function decodeWeights(bytes: Uint8Array<ArrayBuffer>, where: string, design: Design): Tensors {
  const { tensors } = decodeSafetensors(bytes, where);
  const expected = expectedWeights(design);
  const found = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    if (name.endsWith(COUNTER)) continue;
    const full = fullName(name, design, expected);
    // A tensor that is there by both names is not chosen between: the short one is extra.
    found.set(tensors.has(full) ? name : full, tensor);
  }
  const complaints = differences(found, expected);
  if (complaints.length > 0) {
    throw new GanOnnxError({
      what: `does not fit the recipe's networks: ${complaints.join(", ")}`,
      where,
      fix: text`name the tensors as \`gan-onnx export\` with ${setting("format", "safetensors")} does, for networks of the same size`,
    });
  }
  return stateWith(design, (network, name, { out }) => {
    out.set(floatsIn(found, tensorName(network, name)));
  });
}

function fullName(name: string, { networks }: Design, expected: ReadonlyMap<string, Expected>): string {
  if (expected.has(name)) return name;
  const owners = Object.keys(networks).filter((network) => expected.has(tensorName(network, name)));
  return owners.length === 1 ? tensorName(owners[0], name) : name;
}

/** The weights of a state in the form that {@link decodeWeights} reads, so that the way there and back is exact. */
export function encodeWeights(design: Design, state: Tensors): Uint8Array<ArrayBuffer> {
  const weights = Object.keys(design.networks).flatMap((network) =>
    [...namedTensors(design, network, state)].map(
      ([name, tensor]) => [tensorName(network, name), tensor] as const,
    ),
  );
  return encodeSafetensors(new Map(weights), { format: "pt" });
}
