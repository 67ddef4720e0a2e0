import { declarationsOf, type Initializer } from "../networks/index.js";
import { countsSteps, type Design, updatedBy } from "../recipes/index.js";
import { fillUniform, randomStream } from "../tensors/random.js";
import { floatsIn, sizeOf, type Tensor, type Tensors, tensorIn } from "../tensors/tensor.js";
import {
  averageState,
  bufferState,
  parametersState,
  STEP_STATE,
  STEPS_STATE,
  slotState,
  tensorName,
} from "./names.js";

/** A tensor that is kept between steps: output `next/name` replaces input `name`. */
export interface StateTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initial: number;
  /** The network whose parameters it has one number for, in the order of the flat vector. */
  readonly vectorOf?: string;
}

/** The vector that is exported and used for samples. */
export function exportedState({ exported, averageDecay }: Design): string {
  return averageDecay === undefined ? parametersState(exported.network) : averageState(exported.network);
}

/** The states that only updates need: the optimizer's slots, and the steps of the schedule. */
export function slotStates(design: Design): readonly string[] {
  const ofNetworks = Object.keys(design.networks).flatMap((network) =>
    slotsOf(design, network, 1).map(({ name }) => name),
  );
  return [...ofNetworks, ...scheduleStates(design).map(({ name }) => name)];
}

/** The slots of the optimizers of all phases that update a network. */
function slotsOf(design: Design, network: string, size: number): readonly StateTensor[] {
  const updating = design.phases.filter((phase) => updatedBy(phase).includes(network));
  const optimizers = new Map(
    updating.map(({ optimization }) => [optimization?.name, optimization?.optimizer ?? design.optimizer]),
  );
  return [...optimizers].flatMap(([own, optimizer]) =>
    Object.entries(optimizer.slots(size)).map(([slot, shape]) => ({
      name: slotState(network, slot, own),
      shape,
      initial: 0,
      ...(shape.length > 0 && { vectorOf: network }),
    })),
  );
}

function scheduleStates(design: Design): readonly StateTensor[] {
  return countsSteps(design)
    ? [STEP_STATE, STEPS_STATE].map((name) => ({ name, shape: [], initial: 0 }))
    : [];
}

/**
 * Set the total number of steps in a state, for schedules and windows. It may be infinite. In a design with windows, a
 * training that has begun keeps its total: the windows do not move, and additional steps belong to those that last to
 * the end.
 */
export function withSteps(design: Design, state: Tensors, steps: number): Tensors {
  if (!countsSteps(design)) return state;
  const hasBegun = floatsIn(state, STEP_STATE)[0] > 0;
  if (hasBegun && design.phases.some(({ during }) => during)) return state;
  const data = Float32Array.of(Number.isFinite(steps) ? steps : 0);
  return new Map(state).set(STEPS_STATE, { dtype: "float32", shape: [], data });
}

/**
 * Adapt a state to a design that has a schedule now and had none before, or the reverse.
 *
 * @param made the number of steps that the training has run.
 */
export function withOwnSchedule(design: Design, state: Tensors, made: number): Tensors {
  const counting = countsSteps(design);
  if (state.has(STEP_STATE) === counting) return state;
  const changed = new Map(state);
  if (counting) {
    for (const name of [STEP_STATE, STEPS_STATE]) {
      changed.set(name, { dtype: "float32", shape: [], data: Float32Array.of(made) });
    }
  } else {
    changed.delete(STEP_STATE);
    changed.delete(STEPS_STATE);
  }
  return changed;
}

/**
 * The state of a design: for each network its flat parameters, the optimizer's slots, its buffers and its average; then
 * the state of the schedule.
 */
export function stateTensors(design: Design): readonly StateTensor[] {
  const { networks, exported, averageDecay } = design;
  const ofNetworks = Object.entries(networks).flatMap(([network, definition]) => {
    const { size, buffers } = declarationsOf(definition);
    const averaged = averageDecay !== undefined && network === exported.network;
    return [
      { name: parametersState(network), shape: [size], initial: 0, vectorOf: network },
      ...slotsOf(design, network, size),
      ...buffers.map(({ name, shape, init }) => ({
        name: bufferState(network, name),
        shape,
        initial: init.kind === "constant" ? init.value : 0,
      })),
      ...(averaged ? [{ name: averageState(network), shape: [size], initial: 0, vectorOf: network }] : []),
    ];
  });
  return [...ofNetworks, ...scheduleStates(design)];
}

/** Every state with its initial value, but parameters zero. */
function blankState(design: Design): Map<string, Tensor<"float32">> {
  return new Map(
    stateTensors(design).map(({ name, shape, initial }) => [
      name,
      { dtype: "float32", shape, data: new Float32Array(sizeOf(shape)).fill(initial) },
    ]),
  );
}

/** The state before the first step: parameters initialized as their layers specify. */
export function initialState(design: Design, seed: number): Tensors {
  return stateWith(design, (network, name, { init, out }) => {
    initialize(out, init, randomStream(seed, "init", tensorName(network, name)));
  });
}

/**
 * The state before the first step, with given parameters and buffers.
 *
 * @param fill writes `out`, the place of one tensor. For a buffer, `out` contains the initial value.
 */
export function stateWith(
  design: Design,
  fill: (
    network: string,
    name: string,
    tensor: { readonly shape: readonly number[]; readonly init: Initializer; readonly out: Float32Array },
  ) => void,
): Tensors {
  const state = blankState(design);
  for (const [network, definition] of Object.entries(design.networks)) {
    const { parameters, buffers } = declarationsOf(definition);
    const flat = floatsIn(state, parametersState(network));
    for (const { name, shape, init, offset, size } of parameters) {
      fill(network, name, { shape, init, out: flat.subarray(offset, offset + size) });
    }
    for (const { name, shape, init } of buffers) {
      fill(network, name, { shape, init, out: floatsIn(state, bufferState(network, name)) });
    }
    state.get(averageState(network))?.data.set(flat);
  }
  return state;
}

function initialize(out: Float32Array, init: Initializer, random: ReturnType<typeof randomStream>): void {
  if (init.kind === "constant") {
    out.fill(init.value);
    return;
  }
  if (init.kind === "given") {
    out.set(init.values);
    return;
  }
  fillUniform(random, out);
  for (let i = 0; i < out.length; i++) out[i] = (2 * out[i] - 1) * init.bound;
}

/**
 * The parameters and buffers of one network by their own names. Parameters are views of a flat vector.
 *
 * @param vector the state with the vector: the parameters, or their average.
 */
export function namedTensors(
  design: Design,
  network: string,
  state: Tensors,
  vector = parametersState(network),
): Map<string, Tensor> {
  const flat = floatsIn(state, vector);
  const { parameters, buffers } = declarationsOf(design.networks[network]);
  return new Map<string, Tensor>([
    ...parameters.map(({ name, shape, offset, size }): [string, Tensor] => [
      name,
      { dtype: "float32", shape, data: flat.subarray(offset, offset + size) },
    ]),
    ...buffers.map(({ name }): [string, Tensor] => [name, tensorIn(state, bufferState(network, name))]),
  ]);
}
