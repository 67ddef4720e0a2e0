import {
  type About,
  add,
  build,
  concat,
  extentOf,
  gradients,
  input,
  loop,
  type Model,
  mul,
  reshape,
  row,
  type Shape,
  scalar,
  sum,
  type Value,
  withScope,
  zerosLike,
} from "../graph/index.js";
import {
  type Bound,
  cut,
  declarationsOf,
  joined,
  onPieces,
  type Piece,
  piecesOf,
} from "../networks/index.js";
import type { Design, Phase, StepInput } from "../recipes/index.js";
import type { DType } from "../tensors/tensor.js";
import {
  averageState,
  bufferState,
  nextState,
  parametersState,
  pieceState,
  STEP_STATE,
  STEPS_STATE,
  slotState,
} from "./names.js";
import { type StateTensor, stateTensors } from "./state.js";

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

/** The batch inputs that the phases of a design declare. */
export function batchInputs(design: Design): readonly BatchInput[] {
  return design.phases.flatMap(({ inputs, repeats }) =>
    Object.entries(inputs).map(([name, { role, shape }]) => ({
      name,
      role,
      shape,
      repeats,
      dtype: role === "images" || role === "labels" ? ("uint8" as const) : ("float32" as const),
      inputShape: ["steps", ...(repeats > 1 ? [repeats] : []), "batch", ...shape],
    })),
  );
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
  const [made, steps] = [before[STEP_STATE], before[STEPS_STATE]];
  const factor = schedule ? withScope("schedule", () => schedule.factor(made, steps)) : 1;
  const collected: Record<string, Value> = {};
  for (const phase of design.phases) {
    const recorded: Values[] = [];
    for (let repeat = 0; repeat < phase.repeats; repeat++) {
      const inputs = Object.keys(phase.inputs).map(
        (name) => [name, repeated(batch[name], phase, repeat)] as const,
      );
      const networks = boundOn(design, state);
      const forwards = Object.fromEntries(networks.map(([name, { forward }]) => [name, forward]));
      const { loss, metrics } = phase.trace(forwards, Object.fromEntries(inputs));
      const { next, discarded } = withScope("optimizer", () =>
        updated(design, phase, { loss, factor, state }),
      );
      state = { ...state, ...next, ...buffersOf(networks) };
      recorded.push(withDiscarded(metrics, discarded));
    }
    for (const name of Object.keys(recorded[0])) {
      collected[name] = stacked(recorded.map((metrics) => metrics[name]));
      phases.set(name, phase.updates);
    }
  }
  const counted: Values = schedule ? { [STEP_STATE]: withScope("schedule", () => add(made, 1)) } : {};
  return { state: { ...state, ...averaged(design, state), ...counted }, collected };
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
 * Averaged weights are exported with the running statistics of the training. These then follow the batches as slowly as
 * the average follows the weights, so that both belong together: a step with one batch in each phase multiplies the old
 * ones by the decay. With at least a hundredth of each batch, the initial statistics do not outlast a short training.
 */
function momentumOf({ averageDecay, phases }: Design): number | undefined {
  return averageDecay === undefined ? undefined : Math.max(1 - averageDecay ** (1 / phases.length), 0.01);
}

/** The buffers of all networks after the forward passes. */
function buffersOf(networks: BoundNetworks): Values {
  return Object.fromEntries(
    networks.flatMap(([name, { buffers }]) =>
      [...buffers].map(([buffer, value]) => [bufferState(name, buffer), value] as const),
    ),
  );
}

/** The updated parameters and slots of a phase's network, and the gradients that are not used, if requested. */
function updated(
  design: Design,
  { updates, undetached = [] }: Phase,
  { loss, factor, state }: { loss: Value; factor: Value | 1; state: Values },
): { next: Values; discarded: readonly Value[] } {
  const learned = (network: string) => piecesOf(design.networks[network]).filter(({ frozen }) => !frozen);
  const parametersOf = (network: string) =>
    learned(network).map((piece) => state[pieceState(parametersState(network), piece.name)]);
  // Treat the whole state as constant: updates by earlier phases are not differentiated.
  const parameters = [updates, ...undetached].flatMap(parametersOf);
  // A bias before a normalization does not affect the loss. For large images it can be a piece of its own.
  const derivatives = gradients(loss, parameters, { fixed: Object.values(state), unused: zerosLike });
  const pieces = learned(updates);
  const surroundings = { factor, gradients: derivatives.slice(0, pieces.length) };
  const next = pieces.map((piece, i) => {
    const names = slotNames(design, updates, piece);
    const slots = Object.fromEntries(names.map(([slot, name]) => [slot, state[name]]));
    const result = design.optimizer.update(
      derivatives[i],
      { parameters: parameters[i], slots },
      surroundings,
    );
    return [
      [pieceState(parametersState(updates), piece.name), result.parameters],
      ...names.map(([slot, name]) => [name, result.slots[slot]]),
    ];
  });
  // A scalar slot is shared by all pieces: every piece computes the same value. Keep the value of the first piece.
  return { next: Object.fromEntries(next.toReversed().flat()), discarded: derivatives.slice(pieces.length) };
}

/** The optimizer's slots for a piece, and the loop's states for them. A scalar slot is shared by all pieces. */
function slotNames({ optimizer }: Design, network: string, piece: Piece): (readonly [string, string])[] {
  return Object.entries(optimizer.slots(1)).map(([slot, shape]) => {
    const name = slotState(network, slot);
    return [slot, shape.length > 0 ? pieceState(name, piece.name) : name];
  });
}

/** Nodes that no output needs are dropped, so unused gradients are added to a metric, as 0 times their sum. */
function withDiscarded(metrics: Values, discarded: readonly Value[]): Values {
  const [name] = Object.keys(metrics);
  const kept = discarded.reduce((metric, g) => add(metric, mul(sum(g), 0)), metrics[name]);
  return { ...metrics, [name]: kept };
}

/** The moving average after a step: a ← decay·a + (1 - decay)·p. */
function averaged({ networks, exported, averageDecay }: Design, state: Values): Values {
  if (averageDecay === undefined) return {};
  const entries = piecesOf(networks[exported.network]).map((piece) => {
    const average = pieceState(averageState(exported.network), piece.name);
    const parameters = state[pieceState(parametersState(exported.network), piece.name)];
    return [average, add(mul(state[average], averageDecay), mul(parameters, 1 - averageDecay))];
  });
  return Object.fromEntries(entries);
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
