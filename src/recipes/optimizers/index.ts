export { adam } from "./adam.js";
export { type OptimizationSettings, optimization, optimizationSettings } from "./settings.js";
export type { AdamOptions, Optimizer } from "./transformation.js";
