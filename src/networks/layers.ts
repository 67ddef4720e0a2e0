import { gemm, type Value, withScope } from "../graph/index.js";
import type { Initializer, Scope } from "./network.js";

export type Layer = (x: Value) => Value;

/**
 * PyTorch's default for the weights and biases of linear and convolutional layers: uniform ±1/√fan_in. (Its
 * `kaiming_uniform_` with a = √5 comes to just that: https://github.com/pytorch/pytorch/issues/57109.)
 */
export function uniformFanIn(fanIn: number): Initializer {
  return { kind: "uniform", bound: 1 / Math.sqrt(fanIn) };
}

/** x·Wᵀ + b: [batch, features] to [batch, outFeatures], with PyTorch's layout of W, [outFeatures, features]. */
export function linear(scope: Scope, name: string, features: number, outFeatures: number): Layer {
  const init = uniformFanIn(features);
  const weight = scope.parameter(`${name}.weight`, [outFeatures, features], init);
  const bias = scope.parameter(`${name}.bias`, [outFeatures], init);
  return (x) => withScope(name, () => gemm(x, weight, { c: bias, transB: true }));
}
