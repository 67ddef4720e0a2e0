import { apply } from "../graph/operator.js";
import type { Operator, Value } from "../graph/value.js";

// The two operators that ONNX Runtime's training API requires. Stock builds of the runtime have neither.
const domain = "com.microsoft";

/** One of the training operators in https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md. */
const accumulator: Operator = {
  type: "InPlaceAccumulatorV2",
  domain,
  attributes: {},
  infer: () => [{ dtype: "bool", shape: [1] }],
  vjp: null,
};

/**
 * Add a gradient to its buffer, or overwrite the buffer if `reset` is true. The buffer changes in place.
 *
 * @returns bool [1], whether the buffer changed.
 */
export function accumulated(buffer: Value, gradient: Value, reset: Value): Value {
  return apply(accumulator, [buffer, gradient, reset])[0];
}

/** `adam_mode` 0 is PyTorch's: correct both moments, then add epsilon. It requires `correct_bias` 1. */
export interface AdamWAttributes {
  /** The decay of the first moment. */
  readonly alpha: number;
  /** The decay of the second moment. */
  readonly beta: number;
  readonly epsilon: number;
  readonly weight_decay: number;
  readonly adam_mode: 0 | 1;
  readonly correct_bias: 0 | 1;
}

const optimizer: Operator = {
  type: "AdamWOptimizer",
  domain,
  attributes: {
    alpha: "float",
    beta: "float",
    epsilon: "float",
    weight_decay: "float",
    adam_mode: "int",
    correct_bias: "int",
  },
  infer: () => [{ dtype: "bool", shape: [1] }],
  vjp: null,
};

/**
 * Update all parameters and moments in place. Inputs: the learning rate, float32 [1]; the number of this update counted
 * from 1, int64 [1]; sequences of parameters, gradients, first and second moments.
 *
 * @returns bool [1], whether there was an update.
 */
export function adamW(inputs: readonly Value[], attributes: AdamWAttributes): Value {
  return apply(optimizer, inputs, { ...attributes })[0];
}
