import {
  type About,
  add,
  build,
  concat,
  extentOf,
  input,
  loop,
  type Model,
  reshape,
  row,
  type Shape,
  scalar,
  type Value,
  withScope,
} from "../graph/index.js";
import { type Bound, cut, declarationsOf, joined, onPieces, piecesOf } from "../networks/index.js";
import { type Design, type Phase, type StepInput, updatedBy } from "../recipes/index.js";
import type { DType } from "../tensors/tensor.js";
import { averaged } from "./average.js";
import { bufferState, nextState, parametersState, pieceState, STEP_STATE, STEPS_STATE } from "./names.js";
import { type StateTensor, stateTensors } from "./state.js";
import { updated, withDiscarded } from "./update.js";
import { clockOf, type PhaseResult, withinWindow } from "./windows.js";

type Values = Readonly<Record<string, Value>>;

/** An input of the training graph that is different in every call: images or noise for `steps` steps. */
export interface BatchInput extends StepInput {
  readonly name: string;
  readonly dtype: DType;
  /** `[steps, batch, …]`. If the phase repeats, there is an axis of `repeats` before the batch. */
  readonly inputShape: Shape;
  readonly repeats: number;
}

/** Descriptions of the inputs by role, for people who open the graph. */
const docs: Readonly<Record<StepInput["role"], string>> = {
  images: "bytes of images, from 0 (black) to 255",
  labels: "the class of each image",
  normal: "independent standard normal numbers",
  uniform: "independent uniform numbers in [0, 1)",
};

/** The training graph, and what a runner must know about it. */
export interface StepGraph {
  readonly model: Model;
  readonly batches: readonly BatchInput[];
  readonly states: readonly StateTensor[];
  /** Outputs of shape [steps], or [steps, repeats], each with the network that its phase updates. */
  readonly metrics: readonly { readonly name: string; readonly shape: Shape; readonly phase: string }[];
}

/** The batch inputs that the phases of a design declare. Phases share inputs with the same name. */
export function batchInputs(design: Design): readonly BatchInput[] {
  const all = design.phases.flatMap(({ inputs, repeats }) =>
    Object.entries(inputs).map(([name, { role, shape }]) => ({
      name,
      role,
      shape,
      repeats,
      dtype: role === "images" || role === "labels" ? ("uint8" as const) : ("float32" as const),
      inputShape: ["steps", ...(repeats > 1 ? [repeats] : []), "batch", ...shape],
    })),
  );
  return [...new Map(all.map((input) => [input.name, input])).values()];
}

/**
 * The whole training of a design as one graph: a `Loop` with as many steps as the batch inputs have. Each step runs all
 * phases of the design. Every state X is an input, and `next/X` an output; the other outputs are metrics.
 */
export function buildStepGraph(design: Design, about: About): StepGraph {
  const batches = batchInputs(design);
  const states = stateTensors(design);
  const batchValues = batches.map(({ name, role, dtype, inputShape }) =>
    input(name, dtype, inputShape, docs[role]),
  );
  const stateValues = states.map(({ name, shape }) =>
    input(
      name,
      "float32",
      shape,
      name === STEPS_STATE
        ? "how many steps the training has in all; 0 leaves the learning rate as it is"
        : `state: feed ${nextState(name)} of the previous call`,
    ),
  );
  const steps = withScope("steps", () => reshape(extentOf(batchValues[0], 0), []));

  const first = inPieces(design, states, named(states, stateValues));
  const phases = new Map<string, string>();
  const { state, collected } = loop(steps, "steps", first, (step, current) => {
    const rows = withScope("batch", () => batchValues.map((value) => row(value, step)));
    return trainingStep(design, named(batches, rows), current, phases);
  });
  const last = states.map(({ name, vectorOf }) => [nextState(name), whole(design, state, name, vectorOf)]);
  const next = Object.fromEntries(last);
  return {
    model: build(about, { inputs: [...batchValues, ...stateValues], outputs: { ...collected, ...next } }),
    batches,
    states,
    metrics: Object.entries(collected).map(([name, { shape }]) => ({
      name,
      shape,
      phase: phases.get(name) ?? "",
    })),
  };
}

function named(items: readonly { readonly name: string }[], values: readonly Value[]): Values {
  return Object.fromEntries(items.map(({ name }, i) => [name, values[i]]));
}

/** The pieces of a network's vector, in order. */
function piecesIn(design: Design, state: Values, vector: string, network: string): readonly Value[] {
  return piecesOf(design.networks[network]).map((piece) => state[pieceState(vector, piece.name)]);
}

/** Split the state of a call into the states of the loop. */
function inPieces(design: Design, states: readonly StateTensor[], fed: Values): Values {
  const entries = states.flatMap(({ name, vectorOf }) => {
    if (vectorOf === undefined) return [[name, fed[name]]];
    const network = design.networks[vectorOf];
    const pieces = cut(network, fed[name]);
    return piecesOf(network).map((piece, i) => [pieceState(name, piece.name), pieces[i]]);
  });
  return Object.fromEntries(entries);
}

/** Join the states of the loop to a state of the call. */
function whole(design: Design, state: Values, name: string, vectorOf: string | undefined): Value {
  if (vectorOf === undefined) return state[name];
  return joined(design.networks[vectorOf], piecesIn(design, state, name, vectorOf));
}

/**
 * One step: run the phases in order. Each phase uses the networks as updated by the previous phases.
 *
 * @param phases receives the network that the phase of each metric updates.
 */
function trainingStep(
  design: Design,
  batch: Values,
  before: Values,
  phases: Map<string, string>,
): { state: Values; collected: Values } {
  let state = before;
  const { schedule } = design;
  const clock = clockOf(design, before);
  const factor =
    schedule && clock ? withScope("schedule", () => schedule.factor(clock.made, clock.steps)) : 1;
  const collected: Record<string, Value> = {};
  for (const phase of design.phases) {
    const { changed, metrics } = withinWindow(design, phase, { clock, state }, (own) =>
      phaseStep(design, phase, { batch, state, factor: own ?? factor }),
    );
    state = { ...state, ...changed };
    Object.assign(collected, metrics);
    for (const name of Object.keys(metrics)) phases.set(name, updatedBy(phase).join(" and "));
  }
  const counted: Values = clock ? { [STEP_STATE]: withScope("schedule", () => add(clock.made, 1)) } : {};
  return { state: { ...state, ...averaged(design, state, clock), ...counted }, collected };
}

/** Run all repetitions of a phase in one step. */
function phaseStep(
  design: Design,
  phase: Phase,
  { batch, state: before, factor }: { batch: Values; state: Values; factor: Value | 1 },
): PhaseResult {
  let changed: Values = {};
  const recorded: Values[] = [];
  for (let repeat = 0; repeat < phase.repeats; repeat++) {
    const state = { ...before, ...changed };
    const inputs = Object.keys(phase.inputs).map(
      (name) => [name, repeated(batch[name], phase, repeat)] as const,
    );
    const networks = boundOn(design, state);
    const forwards = Object.fromEntries(networks.map(([name, { forward }]) => [name, forward]));
    const { loss, metrics } = phase.trace(forwards, Object.fromEntries(inputs));
    const { next, discarded } = withScope("optimizer", () => updated(design, phase, { loss, factor, state }));
    changed = { ...changed, ...next, ...buffersOf(networks, state) };
    recorded.push(withDiscarded(metrics, discarded));
  }
  const names = Object.keys(recorded[0]);
  return {
    changed,
    metrics: Object.fromEntries(names.map((name) => [name, stacked(recorded.map((each) => each[name]))])),
  };
}

type BoundNetworks = readonly (readonly [name: string, bound: Bound<unknown>])[];

/** The networks of a design with the parameters and buffers of a state. */
function boundOn(design: Design, state: Values): BoundNetworks {
  return Object.entries(design.networks).map(([name, network]) => {
    const buffers = declarationsOf(network).buffers.map(
      (buffer) => [buffer.name, state[bufferState(name, buffer.name)]] as const,
    );
    const pieces = piecesIn(design, state, parametersState(name), name);
    const momentum = name === design.exported.network ? momentumOf(design) : undefined;
    return [
      name,
      onPieces(network, pieces, { training: true, momentum, buffers: new Map(buffers) }),
    ] as const;
  });
}

/**
 * The momentum of running statistics with averaged weights, which are exported together. The statistics must follow the
 * batches as slowly as the average follows the weights: a step with one batch in each phase multiplies the old
 * statistics by the decay. The momentum is at least 0.01, so that the initial statistics do not remain after a short
 * training.
 */
function momentumOf({ averageDecay, phases }: Design): number | undefined {
  return averageDecay === undefined ? undefined : Math.max(1 - averageDecay ** (1 / phases.length), 0.01);
}

/** The buffers that the forward passes have replaced. */
function buffersOf(networks: BoundNetworks, before: Values): Values {
  const all = networks.flatMap(([name, { buffers }]) =>
    [...buffers].map(([buffer, value]) => [bufferState(name, buffer), value] as const),
  );
  return Object.fromEntries(all.filter(([name, value]) => before[name] !== value));
}

/** The part of a batch input for one repetition of its phase. */
function repeated(value: Value, { repeats }: Phase, repeat: number): Value {
  return repeats === 1 ? value : row(value, scalar(repeat, "int64"));
}

/** A metric of a phase: a scalar, or one number for each repetition. */
function stacked(values: readonly Value[]): Value {
  if (values.length === 1) return values[0];
  return concat(
    values.map((value) => reshape(value, [1])),
    0,
  );
}
