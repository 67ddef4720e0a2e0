export { type DType, sizeOf, type TensorData } from "../tensors/tensor.js";
export { type About, build, type Model, nameOfInput } from "./build.js";
export { cond } from "./cond.js";
export { type Dim, formatShape, isStatic, type Shape, sameShape } from "./dims.js";
export { type GradientOptions, gradients } from "./gradients.js";
export { loop } from "./loop.js";
export { type Op, withScope } from "./operator.js";
export * from "./ops/index.js";
export { inputsBehind } from "./paths.js";
export {
  constant,
  input,
  type Operand,
  scalar,
  sequenceInput,
  type Value,
} from "./value.js";
