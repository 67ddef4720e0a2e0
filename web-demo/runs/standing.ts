import type { News } from "../../src/serving/run-view.js";

/** After so many seconds without a new step a run is said to stand still; one call of ONNX Runtime can take a while. */
export const STILL = 120;
export const COMPLETE = "Complete.";

/**
 * How a run stands, in a sentence that changes seldom, and whether more is to come of it.
 *
 * @param epoch the epoch of its last step, or whether there is one; nothing where there is none.
 * @param everThere its folder was there before.
 */
export function standingOf(
  { there, settings, sheets, metrics, claimed, diverged }: News,
  epoch: number | boolean | undefined,
  everThere: boolean,
): { text: string; growing: boolean } {
  if (!there) {
    const text = everThere ? "The folder of the run is gone." : "Waiting for the run to begin.";
    return { text, growing: !everThere };
  }
  if (diverged) {
    return { text: `Diverged at epoch ${diverged.epoch}, step ${diverged.step}.`, growing: false };
  }
  if (!epoch) {
    // One that has written its settings and is not at work any more has failed.
    return settings && !claimed
      ? { text: "Stopped before its first step: see what the command says.", growing: false }
      : { text: "Waiting for the first steps.", growing: true };
  }
  // The sheet of an epoch is painted after its last step.
  const painted = sheets.at(-1)?.[0];
  if (painted === settings?.epochs && (epoch === true || painted === epoch)) {
    return { text: COMPLETE, growing: false };
  }
  if (!claimed) return { text: "Stopped.", growing: false };
  if (metrics && metrics.idle >= STILL) {
    return { text: "No new steps for more than two minutes.", growing: false };
  }
  return { text: "Training.", growing: true };
}
