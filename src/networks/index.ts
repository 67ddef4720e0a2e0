export * from "./classifier.js";
export * from "./conv.js";
export * from "./layers.js";
export * from "./mlp.js";
export * from "./network.js";
export * from "./residual.js";
export * from "./role.js";
export * from "./vae.js";
