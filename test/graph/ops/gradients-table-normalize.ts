import {
  batchNorm,
  batchNormTraining,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  lpNormalize,
  mul,
  reshape,
  rmsNorm,
  square,
  type Value,
} from "../../../src/graph/index.js";
import type { Family } from "./gradients-table-rows.js";

const epsilon = 0.125;
const perChannel = [["batch", 2, 2], [2], [2]];
const running = (mean: Value, deviation: Value) => ({ mean, variance: square(deviation) });

export const normalizing = {
  layerNorm: [
    {
      about: "features",
      inputs: [["batch", 3], [3], [3]],
      f: (x, scale, bias) => layerNorm(x, -1, { scale, bias, epsilon }),
    },
    { about: "from an axis on, plain", inputs: [["batch", 2, 2]], f: (x) => layerNorm(x, 1, { epsilon }) },
  ],
  rmsNorm: [
    { about: "features", inputs: [["batch", 3], [3]], f: (x, scale) => rmsNorm(x, -1, { scale, epsilon }) },
  ],
  instanceNorm: [
    {
      about: "signals",
      inputs: [["batch", 2, 3], [2], [2]],
      f: (x, scale, bias) => instanceNorm(x, { scale, bias, epsilon }),
    },
  ],
  groupNorm: [
    {
      about: "two groups",
      inputs: [["batch", 4, 2], [4], [4]],
      f: (x, scale, bias) => groupNorm(x, 2, { scale, bias, epsilon }),
    },
    {
      about: "scales of groups",
      inputs: [["batch", 4], [2], [2]],
      f: (x, scale, bias) => groupNorm(x, 2, { scale, bias, epsilon }),
    },
  ],
  batchNorm: [
    {
      about: "given statistics",
      inputs: [...perChannel, [2], [2]],
      f: (x, scale, bias, mean, deviation) =>
        batchNorm(x, running(mean, deviation), { scale, bias, epsilon }),
    },
    {
      about: "without scale and bias",
      inputs: [["batch", 2], [2], [2]],
      f: (x, mean, deviation) => batchNorm(x, running(mean, deviation), { epsilon }),
    },
  ],
  batchNormTraining: [
    {
      about: "the batch's statistics",
      inputs: [...perChannel, [2]],
      f: (x, scale, bias, mean) => {
        const normal = batchNormTraining(x, { mean, variance: mean }, { scale, bias, epsilon });
        return mul(normal.y, square(reshape(normal.running.mean, [2, 1])));
      },
    },
    {
      about: "an unbiased variance",
      inputs: [["batch", 2, 2], [2]],
      f: (x, variance) =>
        batchNormTraining(x, { mean: variance, variance }, { unbiased: true }).running.variance,
    },
  ],
  lpNormalize: [
    { about: "by the sum of squares", inputs: [["batch", 3]], f: (x) => lpNormalize(x) },
    { about: "by the sum, channels", inputs: [[2, 3, 2]], f: (x) => lpNormalize(x, 1, 1) },
  ],
  localResponseNorm: [
    {
      about: "four channels, three at a time",
      inputs: [["batch", 4, 1, 2]],
      f: (x) => localResponseNorm(x, { size: 3, alpha: 0.75, beta: 0.5, bias: 1 }),
    },
    {
      about: "an even number",
      inputs: [["batch", 3, 2]],
      f: (x) => localResponseNorm(x, { size: 2, alpha: 1 }),
    },
  ],
} satisfies Family;
