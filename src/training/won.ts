import { setting, type Text, text } from "../error.js";
import type { MetricsLine } from "./training.js";

/** A discriminator's loss below this, on average over an epoch, leaves the generator next to nothing to learn from. */
const WON = 0.02;

/**
 * Listens to the metrics of a two-player training: after an epoch in which the discriminator's loss was near 0 it has
 * won, and says so once.
 *
 * @returns what is given the lines of a call, and tells what a user should hear, if anything.
 */
export function discriminatorWatch(): (
  lines: readonly MetricsLine[],
  stepsInEpoch: number,
) => Text | undefined {
  let [sum, steps, said] = [0, 0, false];
  return (lines, stepsInEpoch) => {
    let heard: Text | undefined;
    for (const { epoch, step, metrics } of lines) {
      // Losses that are differences of scores pass 0 on their way: only those of opinions on real images count.
      if (!("d_loss" in metrics) || !("real_score" in metrics)) return undefined;
      sum += metrics.d_loss;
      steps++;
      if (step < stepsInEpoch) continue;
      if (sum / steps < WON && !said) {
        said = true;
        heard = text`the discriminator has won: its loss was ${(sum / steps).toFixed(4)} on average in epoch ${epoch}, and the generator learns little from that; lower ${setting("learningRate")}, or try ${setting("labelSmoothing")} or ${setting("instanceNoise")}`;
      }
      [sum, steps] = [0, 0];
    }
    return heard;
  };
}
