import { opensOn } from "../../src/training/session.js";

/** Loads models on the CPU. */
export const onCpu = opensOn({ ep: "cpu", cpuNodes: true });
