export * from "./activations.js";
export * from "./conv.js";
export * from "./elementwise.js";
export * from "./gather.js";
export * from "./matrix.js";
export * from "./reduce.js";
export * from "./shape.js";
export * from "./stop-gradient.js";
