import {
  type About,
  build,
  concat,
  type DType,
  extentOf,
  gradients,
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
import { onFlatVector, parameterCount } from "../networks/index.js";
import type { Design, Phase, StepInput } from "./recipes/recipe.js";

type Values = Readonly<Record<string, Value>>;

/** An input of the training graph that changes with every run: images or noise for `steps` steps. */
export interface BatchInput extends StepInput {
  readonly name: string;
  readonly dtype: DType;
  /** `[steps, batch, …]`, with an axis of `repeats` before the batch when its phase repeats. */
  readonly inputShape: Shape;
  readonly repeats: number;
}

/** A tensor that lives from step to step: input `name` is replaced by output `next/name`. */
export interface StateTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly network: string;
}

/** The training graph with what a runner must know of it. */
export interface StepGraph {
  readonly model: Model;
  readonly batches: readonly BatchInput[];
  readonly states: readonly StateTensor[];
  /** Outputs of shape [steps], or [steps, repeats]. */
  readonly metrics: readonly { readonly name: string; readonly shape: Shape }[];
}

export function parametersState(network: string): string {
  return `${network}/parameters`;
}

/** The batch inputs that the phases of a design declare. */
export function batchInputs(design: Design): readonly BatchInput[] {
  return design.phases.flatMap(({ inputs, repeats }) =>
    Object.entries(inputs).map(([name, { role, shape }]) => ({
      name,
      role,
      shape,
      repeats,
      dtype: role === "images" ? ("uint8" as const) : ("float32" as const),
      inputShape: ["steps", ...(repeats > 1 ? [repeats] : []), "batch", ...shape],
    })),
  );
}

/** The state of a design: for each network its flat parameters and the optimizer's slots. */
export function stateTensors(design: Design): readonly StateTensor[] {
  return Object.entries(design.networks).flatMap(([network, definition]) => {
    const size = parameterCount(definition);
    const slots = Object.entries(design.optimizer.slots(size));
    return [
      { name: parametersState(network), shape: [size], network },
      ...slots.map(([slot, shape]) => ({ name: `${network}/${slot}`, shape, network })),
    ];
  });
}

/**
 * The whole training of a design as one graph: a `Loop` over as many steps as the batch inputs hold, each step all
 * phases of the design. Every state X is an input, and `next/X` an output; the other outputs are metrics.
 */
export function buildStepGraph(design: Design, about: About): StepGraph {
  const batches = batchInputs(design);
  const states = stateTensors(design);
  const batchValues = batches.map(({ name, dtype, inputShape }) => input(name, dtype, inputShape));
  const stateValues = states.map(({ name, shape }) => input(name, "float32", shape));
  const steps = withScope("steps", () => reshape(extentOf(batchValues[0], 0), []));

  const { state, collected } = loop(steps, "steps", named(states, stateValues), (step, current) => {
    const rows = withScope("batch", () => batchValues.map((value) => row(value, step)));
    return trainingStep(design, named(batches, rows), current);
  });
  const next = Object.fromEntries(Object.entries(state).map(([name, value]) => [`next/${name}`, value]));
  return {
    model: build(about, { inputs: [...batchValues, ...stateValues], outputs: { ...collected, ...next } }),
    batches,
    states,
    metrics: Object.entries(collected).map(([name, { shape }]) => ({ name, shape })),
  };
}

function named(items: readonly { readonly name: string }[], values: readonly Value[]): Values {
  return Object.fromEntries(items.map(({ name }, i) => [name, values[i]]));
}

/** One step: the phases in turn, each seeing the networks as the ones before it left them. */
function trainingStep(design: Design, batch: Values, before: Values): { state: Values; collected: Values } {
  let state = before;
  const collected: Record<string, Value> = {};
  for (const phase of design.phases) {
    const recorded: Values[] = [];
    for (let repeat = 0; repeat < phase.repeats; repeat++) {
      const inputs = Object.keys(phase.inputs).map(
        (name) => [name, repeated(batch[name], phase, repeat)] as const,
      );
      const { loss, metrics } = phase.trace(forwardsOn(design, state), Object.fromEntries(inputs));
      recorded.push(metrics);
      state = { ...state, ...withScope("optimizer", () => updated(design, phase.updates, loss, state)) };
    }
    for (const name of Object.keys(recorded[0])) {
      collected[name] = stacked(recorded.map((metrics) => metrics[name]));
    }
  }
  return { state, collected };
}

/** The networks of a design on the parameters of a state. */
function forwardsOn(design: Design, state: Values): Readonly<Record<string, unknown>> {
  const networks = Object.entries(design.networks);
  return Object.fromEntries(
    networks.map(([name, n]) => [name, onFlatVector(n, state[parametersState(name)])]),
  );
}

/** The parameters and slots of one network after an update. */
function updated(design: Design, network: string, loss: Value, state: Values): Values {
  const key = parametersState(network);
  const prefix = `${network}/`;
  const slotNames = Object.keys(design.optimizer.slots(1));
  const slots = Object.fromEntries(slotNames.map((slot) => [slot, state[prefix + slot]]));
  // The other networks count as they are: how their own updates came about is not differentiated.
  const [gradient] = gradients(loss, [state[key]], Object.values(state));
  const next = design.optimizer.update(state[key], gradient, slots);
  const nextSlots = Object.entries(next.slots).map(([slot, value]) => [prefix + slot, value]);
  return { [key]: next.parameters, ...Object.fromEntries(nextSlots) };
}

/** The part of a batch input that belongs to one repetition of its phase. */
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
