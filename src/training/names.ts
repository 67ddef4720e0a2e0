import { NEXT } from "../runtime/engine.js";

/*
 * The names of everything that lives from step to step, and of the tensors in files. Checkpoints, manifests and ONNX
 * files hold them, so they do not change.
 */

/** A parameter or buffer as it is called outside of its network, in files, manifests and artifacts: `generator.gen.0.bias`. */
export function tensorName(network: string, tensor: string): string {
  return `${network}.${tensor}`;
}

const PARAMETERS = "parameters";

/** The flat vector that a network learns. */
export function parametersState(network: string): string {
  return stateName(network, PARAMETERS);
}

/** Whether a state is the flat vector of a network. */
export function isParametersState(state: string): boolean {
  return state.endsWith(`/${PARAMETERS}`);
}

/** The moving average of that vector, in a design that keeps one. */
export function averageState(network: string): string {
  return stateName(network, "average");
}

/** What the optimizer remembers of a network. */
export function slotState(network: string, slot: string): string {
  return stateName(network, slot);
}

/** How many steps the training has made, which a schedule goes by. */
export const STEP_STATE = "schedule/step";
/** How many steps the training has, for the same. */
export const STEPS_STATE = "schedule/steps";

/** A buffer of a network: buffers are not learnt, so each is a state of its own. */
export function bufferState(network: string, buffer: string): string {
  return stateName(network, buffer);
}

/** The part of a vector that the loop of the training graph holds for a piece of its network. */
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
