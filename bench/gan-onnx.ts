import { Session, type SessionPlace } from "../src/runtime/session.node.js";
import { plansMemory } from "../src/training/memory-pattern.js";
import { firstOf } from "./checked.js";
import type { Entrant } from "./contestant.js";
import type { StepCase } from "./step-case.js";

/**
 * The training graph in its session, fed as by the trainer. The state stays in the session. Batches and noise are
 * prepared before, as for all contestants.
 */
export function ourSteps(
  { design, train, state, feeds, steps, batchSize }: StepCase,
  place: SessionPlace,
  name = "gan-onnx",
): Entrant {
  return {
    name,
    async open() {
      const memoryPattern = plansMemory({ ...design, batchSize });
      const session = await Session.open(train, { ...place, cpuNodes: true, memoryPattern }, "train.onnx");
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
