import { Session, type SessionPlace } from "../src/runtime/session.node.js";
import type { Tensors } from "../src/tensors/tensor.js";
import type { Entrant } from "./contestant.js";
import { CHECKED, type StepCase } from "./step-case.js";

/**
 * The training graph in its session, fed as by the trainer. The state stays in the session. Batches and noise are
 * prepared before, as for all contestants.
 */
export function ourSteps(
  { train, state, feeds, steps }: StepCase,
  place: SessionPlace,
  name = "gan-onnx",
): Entrant {
  return {
    name,
    async open() {
      const session = await Session.open(train, { ...place, cpuNodes: true }, "train.onnx");
      await session.setState(state);
      return {
        name,
        async round() {
          const start = performance.now();
          const outputs = await session.run(feeds);
          return { cost: (performance.now() - start) / steps, metrics: firstOf(outputs, steps) };
        },
        close: () => session.close(),
      };
    },
  };
}

/** The metrics of the first steps. Those of repeated phases are concatenated. */
function firstOf(outputs: Tensors, steps: number): Record<string, readonly number[]> {
  return Object.fromEntries(
    [...outputs].map(([name, { data }]) => {
      const checked = (data.length / steps) * Math.min(CHECKED, steps);
      return [name, Array.from(data.subarray(0, checked), Number)];
    }),
  );
}
