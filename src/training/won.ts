import { setting, type Text, text } from "../error.js";
import type { MetricsLine } from "./training.js";

/**
 * A mean discriminator loss below this over an epoch leaves almost no gradient for the generator. The lowest of runs that
 * draw well is 0.13 (vanilla on MNIST, epoch 2); of one that recovered from it, 0.064.
 */
const WON = 0.05;

/**
 * Watch the metrics of a two-player training. After an epoch in which the discriminator's loss was near 0, it has won:
 * warn once.
 *
 * @returns a function that gets the lines of a call and returns a warning, if any.
 */
export function discriminatorWatch(): (
  lines: readonly MetricsLine[],
  stepsInEpoch: number,
) => Text | undefined {
  let [sum, steps, warned] = [0, 0, false];
  return (lines, stepsInEpoch) => {
    let warning: Text | undefined;
    for (const { epoch, step, metrics } of lines) {
      // Losses that are differences of scores can pass through 0. Use only losses with opinions about real images.
      if (!("d_loss" in metrics) || !("real_score" in metrics)) return undefined;
      sum += metrics.d_loss;
      steps++;
      if (step < stepsInEpoch) continue;
      if (sum / steps < WON && !warned) {
        warned = true;
        warning = text`the discriminator has won: its loss was ${(sum / steps).toFixed(4)} on average in epoch ${epoch}, and the generator learns little from that; lower ${setting("learningRate")}, or try ${setting("labelSmoothing")} or ${setting("instanceNoise")}`;
      }
      [sum, steps] = [0, 0];
    }
    return warning;
  };
}
