import {
  type ConvTransposeOptions,
  conv2d,
  convTranspose2d,
  formatShape,
  input,
  type Shape,
  weightGradientOp,
} from "../../../src/graph/index.js";
import type { GradientCase } from "../../helpers/check-gradients.js";
import type { Family } from "./gradients-table-rows.js";

type Size = readonly [height: number, width: number];

/** A kernel, images whose sizes its stride divides and does not divide, and images to grow by it. */
const kernels: readonly {
  options: ConvTransposeOptions;
  kernel: Size;
  shrink: readonly Size[];
  grow: Size;
}[] = [
  { options: {}, kernel: [2, 3], shrink: [[3, 4]], grow: [1, 2] },
  { options: { padding: 1 }, kernel: [3, 3], shrink: [[3, 2]], grow: [2, 3] },
  { options: { padding: 2 }, kernel: [1, 2], shrink: [[2, 1]], grow: [5, 4] },
  {
    options: { stride: 2, padding: 1 },
    kernel: [4, 4],
    shrink: [
      [4, 2],
      [5, 3],
    ],
    grow: [2, 3],
  },
  {
    options: { stride: 2 },
    kernel: [3, 3],
    shrink: [
      [5, 3],
      [4, 6],
    ],
    grow: [2, 1],
  },
  {
    options: { stride: 3, padding: 2 },
    kernel: [3, 2],
    shrink: [
      [5, 4],
      [3, 6],
    ],
    grow: [2, 3],
  },
  {
    options: { stride: 3 },
    kernel: [2, 1],
    shrink: [
      [5, 4],
      [3, 6],
    ],
    grow: [2, 1],
  },
  { options: { dilation: 2, padding: 1 }, kernel: [2, 2], shrink: [[3, 4]], grow: [2, 3] },
  {
    options: { stride: 3, dilation: 2, padding: 1 },
    kernel: [2, 2],
    shrink: [
      [4, 7],
      [6, 5],
    ],
    grow: [2, 3],
  },
  {
    options: { stride: [1, 2], padding: [0, 2], dilation: [2, 1] },
    kernel: [2, 4],
    shrink: [[4, 3]],
    grow: [1, 3],
  },
  { options: {}, kernel: [1, 1], shrink: [[2, 3]], grow: [3, 2] },
  { options: { stride: 2 }, kernel: [1, 1], shrink: [[3, 4]], grow: [2, 1] },
  { options: { stride: 2, outputPadding: 1 }, kernel: [1, 1], shrink: [], grow: [2, 1] },
  { options: { stride: 3, padding: 1, outputPadding: 1 }, kernel: [2, 3], shrink: [], grow: [2, 3] },
  { options: { stride: 3, padding: 1, outputPadding: [2, 0] }, kernel: [2, 3], shrink: [], grow: [3, 2] },
];

/** Convolutions are polynomials of degree 2 in each number, so a long step is exact; the CPU has float32 only. */
function row(
  inputs: readonly Shape[],
  options: ConvTransposeOptions,
  f: typeof convTranspose2d,
): GradientCase {
  return {
    about: `${inputs.map(formatShape).join(" * ")} ${JSON.stringify(options)}`,
    inputs,
    f: (x, weight, bias) => f(x, weight, { ...options, bias }),
    dtype: "float32",
    step: 1 / 4,
  };
}

const convolutions2d = kernels.flatMap(({ options, kernel, shrink }) =>
  shrink.map((size) => row([["batch", 2, ...size], [3, 2, ...kernel], [3]], options, conv2d)),
);

const transposedConvolutions = kernels.map(({ options, kernel, grow }) =>
  row([["batch", 2, ...grow], [2, 3, ...kernel], [3]], options, convTranspose2d),
);

/** The first geometry, one with padding, one whose stride leaves pixels over, and one pixel by pixel. */
const weightGradients = [kernels[0], kernels[3], kernels[5], kernels[10]].map(
  ({ options, kernel, shrink: [size] }): GradientCase => {
    const { stride = 1, padding = 0 } = options as { stride?: number; padding?: number };
    const [y, w] = [input("y", "float32", ["batch", 2, ...size]), input("w", "float32", [3, 2, ...kernel])];
    const small = conv2d(y, w, options).shape;
    const both = (number: number) => [number, number];
    const geometry = {
      strides: both(stride),
      dilations: both(1),
      pads: [...both(padding), ...both(padding)],
    };
    return {
      about: `${formatShape(y.shape)} and ${formatShape(small)} ${JSON.stringify(options)}`,
      inputs: [y.shape, small],
      f: (large, small) => weightGradientOp(large, small, { ...geometry, to: w.shape }),
    };
  },
);

export const convolutions = {
  convOp: convolutions2d,
  convTransposeOp: transposedConvolutions,
  weightGradientOp: weightGradients,
  conv2d: [convolutions2d[0]],
  convTranspose2d: [transposedConvolutions[0]],
} satisfies Family;
