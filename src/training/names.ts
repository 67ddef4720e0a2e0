import { NEXT } from "../runtime/engine.js";

/*
 * The names of all state, and of tensors in files. Checkpoints, manifests and ONNX files contain them, so they must not
 * change.
 */

/** The name of a parameter or buffer outside its network, in files, manifests and artifacts: `generator.gen.0.bias`. */
export function tensorName(network: string, tensor: string): string {
  return `${network}.${tensor}`;
}

const PARAMETERS = "parameters";

/** The flat parameter vector of a network. */
export function parametersState(network: string): string {
  return stateName(network, PARAMETERS);
}

/** Whether a state is the flat parameter vector of a network. */
export function isParametersState(state: string): boolean {
  return state.endsWith(`/${PARAMETERS}`);
}

/** The moving average of that vector, in a design with an average. */
export function averageState(network: string): string {
  return stateName(network, "average");
}

/** A slot of the optimizer for a network. `own` is the name of a phase's own optimizer. */
export function slotState(network: string, slot: string, own?: string): string {
  return stateName(network, own === undefined ? slot : `${own}/${slot}`);
}

/** The number of steps that the training has run, for schedules and windows. */
export const STEP_STATE = "schedule/step";
/** The total number of steps of the training, for a schedule. */
export const STEPS_STATE = "schedule/steps";

/** A buffer of a network. Buffers are not part of the flat vector, so each has its own state. */
export function bufferState(network: string, buffer: string): string {
  return stateName(network, buffer);
}

/** The part of a vector for a piece of its network, in the loop of the training graph. */
export function pieceState(vector: string, piece: string): string {
  return `${vector}/${piece}`;
}

/** The output that replaces a state. */
export function nextState(state: string): string {
  return NEXT + state;
}

function stateName(network: string, part: string): string {
  return `${network}/${part}`;
}
