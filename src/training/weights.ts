import { GanOnnxError, setting, text } from "../error.js";
import { declarationsOf } from "../networks/index.js";
import type { Design } from "../recipes/index.js";
import { decodeSafetensors, encodeSafetensors } from "../tensors/safetensors.js";
import { floatsIn, type Tensor, type Tensors, tensorIn } from "../tensors/tensor.js";
import { differences, type Expected, listed } from "./expected.js";
import { tensorName } from "./names.js";
import { recipeOf } from "./other-recipe.js";
import { initialState, namedTensors, stateWith } from "./state.js";

/** PyTorch counts the batches of a normalization layer. The count is not needed here. */
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

/** Initial weights of a training. */
export interface StartingWeights {
  readonly state: Tensors;
  /** A note for the user: which networks were not in the file. */
  readonly remark?: string;
}

/**
 * Read the initial state of a training from weights: a safetensors file with the parameters and buffers of all
 * networks, named `generator.gen.0.weight`, or `gen.0.weight` as in PyTorch's state_dict if only one network has a
 * tensor of that name. The prefixes of DataParallel and `torch.compile` (`module.`, `_orig_mod.`) are removed. Only the
 * drawing network is required; the others are initialized from the seed.
 *
 * @throws {@link GanOnnxError} when tensors are missing, unexpected or have another shape (the message lists all of
 * them), when a number is not finite, or when the file is PyTorch's own format (the message says how to convert it).
 */
export function decodeWeights(
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
  design: Design,
  seed: number,
): StartingWeights {
  refusePickle(bytes, where);
  const expected = expectedWeights(design);
  const tensors = namedAlone(decodeSafetensors(bytes, where).tensors, design, expected);
  const found = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    if (name.endsWith(COUNTER)) continue;
    const full = fullName(name, design, expected);
    // If both names exist, the second one counts as unexpected.
    found.set(full !== name && (tensors.has(full) || found.has(full)) ? name : full, tensor);
  }
  const isThere = (network: string) =>
    [...found.keys()].some((name) => expected.has(name) && name.startsWith(tensorName(network, "")));
  const { network: drawing } = design.exported;
  const missing = isThere(drawing) ? Object.keys(design.networks).filter((name) => !isThere(name)) : [];
  const isOptional = (name: string) => missing.some((network) => name.startsWith(tensorName(network, "")));
  const required = new Map([...expected].filter(([name]) => !isOptional(name)));
  const complaints = differences(found, required);
  if (complaints.length > 0) {
    const recipe = recipeOf(new Set(tensors.keys()));
    if (recipe !== undefined && recipe !== design.recipe) {
      const what = `holds the weights of the recipe ${recipe}, not of ${design.recipe}`;
      throw new GanOnnxError({
        what,
        where,
        fix: text`choose ${setting("recipe", recipe)}, or another file`,
      });
    }
    throw new GanOnnxError({
      what: `does not fit the recipe's networks: ${listed(complaints)}`,
      where,
      fix: text`name the tensors as \`gan-onnx export\` with ${setting("format", "safetensors")} does, for networks of the same size`,
    });
  }
  for (const name of required.keys()) checkNumbers(name, tensorIn(found, name), where);
  const drawn = initialState(design, seed);
  const state = stateWith(design, (network, name, { out }) => {
    const full = tensorName(network, name);
    if (found.has(full)) out.set(floatsIn(found, full));
    else out.set(floatsIn(namedTensors(design, network, drawn), name));
  });
  if (missing.length === 0) return { state };
  return { state, remark: `${where} has no ${missing.join(" and no ")}: that starts from the seed` };
}

/** Refuse PyTorch's own files: a zip archive, or a pickle of protocol 2 and later. */
function refusePickle(bytes: Uint8Array, where: string): void {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
  const isPickle = bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5;
  // The header of safetensors begins at the ninth byte. The length before it may look like anything.
  if (bytes[8] === 0x7b || !(isZip || isPickle)) return;
  const target = `${where.replace(/\.\w+$/, "")}.safetensors`;
  const lines = [
    "import torch, safetensors.torch",
    `w = torch.load(${JSON.stringify(where)}, map_location='cpu', weights_only=True)`,
    `safetensors.torch.save_file({k: v.clone() for k, v in w.get('state_dict', w).items()}, ${JSON.stringify(target)})`,
  ];
  throw new GanOnnxError({
    what: "is a file of PyTorch's own (a pickle), not safetensors",
    where,
    fix: `convert it in Python: ${lines.join("; ")}`,
  });
}

function checkNumbers(name: string, { data, shape }: Tensor, where: string): void {
  const place = (data as Float32Array).findIndex((value) => !Number.isFinite(value));
  if (place < 0) return;
  let rest = place;
  const index = shape.toReversed().map((extent) => {
    const at = rest % extent;
    rest = Math.floor(rest / extent);
    return at;
  });
  throw new GanOnnxError({
    what: `${name}[${index.reverse().join(", ")}] is ${data[place]}: no number to start from`,
    where,
    fix: "take weights from before the training diverged",
  });
}

/** Remove the prefixes that PyTorch's DataParallel and `torch.compile` add to names. */
const withoutWrappers = (name: string) => name.replace(/(?<=^|\.)(?:module|_orig_mod)\./g, "");

/**
 * If the tensors are a state_dict of the exported network alone, return them with their full names. Other networks may
 * have tensors with the same names.
 */
function namedAlone(tensors: Tensors, design: Design, expected: ReadonlyMap<string, Expected>): Tensors {
  const { network } = design.exported;
  const own = new Map([...expected].filter(([name]) => name.startsWith(tensorName(network, ""))));
  const named = new Map(
    [...tensors]
      .filter(([name]) => !name.endsWith(COUNTER))
      .map(([name, tensor]) => [tensorName(network, withoutWrappers(name)), tensor] as const),
  );
  return named.size > 0 && differences(named, own).length === 0 ? named : tensors;
}

function fullName(name: string, design: Design, expected: ReadonlyMap<string, Expected>): string {
  if (expected.has(name)) return name;
  const owners = Object.keys(design.networks).filter((network) => expected.has(tensorName(network, name)));
  if (owners.length === 1) return tensorName(owners[0], name);
  const unwrapped = withoutWrappers(name);
  if (unwrapped === name) return name;
  const full = fullName(unwrapped, design, expected);
  return expected.has(full) ? full : name;
}

/** The weights of a state, in the format of {@link decodeWeights}. Reading them back gives the same numbers. */
export function encodeWeights(design: Design, state: Tensors): Uint8Array<ArrayBuffer> {
  const weights = Object.keys(design.networks).flatMap((network) =>
    [...namedTensors(design, network, state)].map(
      ([name, tensor]) => [tensorName(network, name), tensor] as const,
    ),
  );
  return encodeSafetensors(new Map(weights), { format: "pt" });
}
