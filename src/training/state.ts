import { sizeOf } from "../graph/index.js";
import { type Initializer, parametersOf } from "../networks/index.js";
import { fillUniform, randomStream } from "./random.js";
import type { Design } from "./recipes/index.js";
import type { Tensors } from "./session.js";
import { parametersState, stateTensors } from "./step-graph.js";

/** The state before the first step: parameters drawn as their layers say, all else zero. */
export function initialState(design: Design, seed: number): Tensors {
  const state: Record<string, Tensors[string]> = {};
  for (const { name, shape } of stateTensors(design)) {
    state[name] = { dtype: "float32", shape, data: new Float32Array(sizeOf(shape)) };
  }
  for (const [network, definition] of Object.entries(design.networks)) {
    const flat = state[parametersState(network)].data as Float32Array<ArrayBuffer>;
    for (const { name, init, offset, size } of parametersOf(definition)) {
      initialize(flat.subarray(offset, offset + size), init, seed, `${network}.${name}`);
    }
  }
  return state;
}

function initialize(out: Float32Array, init: Initializer, seed: number, name: string): void {
  if (init.kind === "constant") {
    out.fill(init.value);
    return;
  }
  fillUniform(randomStream(seed, "init", name), out);
  for (let i = 0; i < out.length; i++) out[i] = (2 * out[i] - 1) * init.bound;
}

/** The parameters of one network by their own names, as views of its flat vector. */
export function namedParameters(
  design: Design,
  network: string,
  state: Tensors,
): Map<string, Tensors[string]> {
  const flat = state[parametersState(network)].data as Float32Array<ArrayBuffer>;
  return new Map(
    parametersOf(design.networks[network]).map(({ name, shape, offset, size }) => [
      name,
      { dtype: "float32", shape, data: flat.subarray(offset, offset + size) },
    ]),
  );
}
