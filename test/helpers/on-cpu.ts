import { opensOn } from "../../src/runtime/session.node.js";

/** Loads models on the CPU. */
export const onCpu = opensOn({ ep: "cpu", cpuNodes: true });
