export { adam } from "./adam.js";
export { type OptimizationSettings, optimization, optimizationSettings } from "./settings.js";
export {
  type AdamOptions,
  chain,
  descending,
  type Optimizer,
  type Slots,
  type Transformation,
} from "./transformation.js";
