import { GanOnnxError } from "../error.js";
import { declarationsOf } from "../networks/index.js";
import type { Design } from "../recipes/index.js";
import type { AdamOptions } from "../recipes/optimizers/index.js";
import { floatsIn, type Tensors } from "../tensors/tensor.js";
import { differences, type Expected } from "../training/expected.js";
import { slotState, tensorName } from "../training/names.js";
import { namedTensors, stateWith } from "../training/state.js";
import type { OrtArtifacts } from "./artifacts.js";
import type { OrtCheckpoint } from "./checkpoint.js";

/** Adam's moments m = (1-β)·M and their slots M: `adam()` omits the factor, ORT's operator does not. */
const slotsOf = ({ beta1, beta2 }: AdamOptions) =>
  [
    { slot: "first_moment", correction: "first_correction", beta: beta1, moment: "first" },
    { slot: "second_moment", correction: "second_correction", beta: beta2, moment: "second" },
  ] as const;

/**
 * The bias correction after 0, 1, … steps in float32, as computed by the step graph: c ← β·c + (1-β). The sequence ends
 * when a step no longer changes it, for the slower one after about ten thousand steps: 1 - βᵗ is then 1 to five digits.
 */
function* corrections(beta: number): Generator<number> {
  let [c, next] = [Number.NaN, 0];
  while (next !== c) {
    c = next;
    yield c;
    next = Math.fround(Math.fround(c * Math.fround(beta)) + Math.fround(1 - beta));
  }
}

/** The number of steps of a correction. If it no longer changes, the smallest such number. */
function stepsBehind(correction: number, beta: number): number {
  let steps = -1;
  for (const c of corrections(beta)) {
    steps += 1;
    if (c >= correction) break;
  }
  return steps;
}

function correctionAfter(steps: number, beta: number): number {
  let correction = 0;
  for (const c of corrections(beta)) {
    correction = c;
    if (steps === 0) break;
    steps -= 1;
  }
  return correction;
}

/** The ORT checkpoint of one network of a state. */
export function ortCheckpointOf(
  design: Design,
  { network, frozen }: Pick<OrtArtifacts, "network" | "frozen">,
  state: Tensors,
): OrtCheckpoint {
  const { adam } = design.optimizer;
  const named = (owner: string, vector?: string, factor = 1): Tensors => {
    const tensors = namedTensors(design, owner, state, vector);
    return new Map(
      Array.from(tensors, ([name, { shape }]) => {
        const data = scaled(floatsIn(tensors, name), factor);
        return [tensorName(owner, name), { dtype: "float32", shape, data }];
      }),
    );
  };
  const checkpoint = { trained: named(network), frozen: new Map(frozen.flatMap((name) => [...named(name)])) };
  if (!adam) return checkpoint;
  const [first, second] = slotsOf(adam);
  const step = stepsBehind(floatsIn(state, slotState(network, second.correction))[0], second.beta);
  if (step === 0) return checkpoint;
  const moments = (slot: string, beta: number) => named(network, slotState(network, slot), 1 - beta);
  return {
    ...checkpoint,
    adam: { step, first: moments(first.slot, first.beta), second: moments(second.slot, second.beta) },
  };
}

/**
 * The state to resume a training from ORT checkpoints, one for each network.
 *
 * @param checkpoints by network, each with its name for messages.
 * @throws {@link GanOnnxError} when tensors of a checkpoint are missing, unexpected or have another shape. The message
 * lists all of them.
 */
export function stateOfOrt(
  design: Design,
  checkpoints: ReadonlyMap<string, { readonly checkpoint: OrtCheckpoint; readonly where: string }>,
): Tensors {
  for (const [network, { checkpoint, where }] of checkpoints) {
    checkOrtCheckpoint(design, network, checkpoint, where);
  }
  const state = stateWith(design, (network, name, { out }) => {
    const { trained = new Map() } = checkpoints.get(network)?.checkpoint ?? {};
    out.set(floatsIn(trained, tensorName(network, name)));
  });
  const { adam: options } = design.optimizer;
  for (const [network, { checkpoint }] of checkpoints) {
    const { adam } = checkpoint;
    if (!adam || !options) continue;
    for (const { slot, correction, beta, moment } of slotsOf(options)) {
      const slots = namedTensors(design, network, state, slotState(network, slot));
      for (const name of slots.keys()) {
        const given = floatsIn(adam[moment], tensorName(network, name));
        floatsIn(slots, name).set(scaled(given, 1 / (1 - beta)));
      }
      floatsIn(state, slotState(network, correction))[0] = correctionAfter(adam.step, beta);
    }
  }
  return state;
}

/** Check that a checkpoint contains one network of a design, and its moments if it has any. */
function checkOrtCheckpoint(
  { networks }: Design,
  network: string,
  { trained, adam }: OrtCheckpoint,
  where: string,
): void {
  const expected = new Map<string, Expected>(
    declarationsOf(networks[network]).parameters.map(({ name, shape }) => [
      tensorName(network, name),
      { dtype: "float32", shape },
    ]),
  );
  const inMoment = (moment: string, tensors: Tensors) =>
    differences(tensors, expected).map((complaint) => `${moment} of ${complaint}`);
  const complaints = [
    ...differences(trained, expected),
    ...(adam ? [...inMoment("momentum0", adam.first), ...inMoment("momentum1", adam.second)] : []),
  ];
  if (complaints.length === 0) return;
  throw new GanOnnxError({
    what: `does not fit the recipe's ${network}: ${complaints.join(", ")}`,
    where,
    fix: "choose the recipe and the sizes that it was written with",
  });
}

function scaled(numbers: Float32Array, factor: number): Float32Array {
  return factor === 1 ? numbers : Float32Array.from(numbers, (value) => value * factor);
}
