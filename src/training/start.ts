import type { Design } from "../recipes/index.js";
import { decodeSafetensors, encodeSafetensors } from "../tensors/safetensors.js";
import { floatsIn, type Tensors } from "../tensors/tensor.js";
import { checkState, startPosition } from "./checkpoint.js";
import { initialState } from "./state.js";

/**
 * The tensors of a starting state that differ from those of the seed, as safetensors: what a manifest contains of
 * initial weights.
 */
export function encodeStart(design: Design, state: Tensors, seed: number): Uint8Array<ArrayBuffer> {
  const drawn = initialState(design, seed);
  const own = [...state].filter(([name]) => {
    const [a, b] = [floatsIn(state, name), floatsIn(drawn, name)];
    return a.some((value, i) => value !== b[i]);
  });
  return encodeSafetensors(new Map(own));
}

/**
 * The state before the first step, from the tensors of {@link encodeStart} and the seed.
 *
 * @throws {@link GanOnnxError} when the tensors do not belong to this design.
 */
export function decodeStart(
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
  design: Design,
  seed: number,
): Tensors {
  const state = new Map([...initialState(design, seed), ...decodeSafetensors(bytes, where).tensors]);
  checkState({ position: startPosition(design, 0, seed), state }, design, where);
  return state;
}
