import {
  averagePool,
  conv,
  convTranspose,
  depthToSpace,
  formatShape,
  type GeneralConvTransposeOptions,
  globalAveragePool,
  globalLpPool,
  globalMaxPool,
  groupedWeightGradientOp,
  lpPool,
  maxPool,
  mul,
  reshape,
  resize,
  type Shape,
  spaceToDepth,
  type Value,
} from "../../../src/graph/index.js";
import type { GradientCase } from "../../helpers/check-gradients.js";
import type { Family } from "./gradients-table-rows.js";

/** Convolutions are polynomials of degree 2 in each number, so a long step is exact; the CPU has float32 only. */
const long = { dtype: "float32", step: 1 / 4 } as const;

function convolution(
  f: typeof convTranspose,
  x: Shape,
  weight: Shape,
  bias: Shape | undefined,
  options: GeneralConvTransposeOptions,
): GradientCase {
  return {
    about: `${formatShape(x)} * ${formatShape(weight)} ${JSON.stringify(options)}`,
    inputs: [x, weight, ...(bias ? [bias] : [])],
    f: (x, weight, bias) => f(x, weight, { ...options, bias }),
    ...long,
  };
}

/** As StyleGAN2 does: a kernel for each image of a batch of two, folded into groups. */
function modulated(x: Value, weight: Value, style: Value): Value {
  const each = mul(reshape(weight, [1, 2, 2, 2, 2]), reshape(style, [2, 1, 2, 1, 1]));
  return conv(reshape(x, [1, 4, 3, 3]), reshape(each, [4, 2, 2, 2]), { groups: 2 });
}

export const windows = {
  groupedConvOp: [
    convolution(conv, ["batch", 4, 3, 4], [2, 2, 2, 3], [2], { groups: 2 }),
    convolution(conv, ["batch", 2, 4, 3], [4, 1, 3, 2], [4], {
      groups: 2,
      strides: [2, 1],
      pads: [1, 0, 0, 2],
    }),
    convolution(conv, ["batch", 2, 5, 4], [2, 1, 2, 2], undefined, {
      groups: 2,
      dilations: [2, 1],
      strides: [1, 2],
    }),
    {
      about: "modulated",
      inputs: [
        [2, 2, 3, 3],
        [2, 2, 2, 2],
        [2, 2],
      ],
      f: modulated,
      ...long,
      step: 1 / 16,
    },
  ],
  groupedConvTransposeOp: [
    convolution(convTranspose, ["batch", 4, 2, 2], [4, 1, 2, 3], [2], { groups: 2 }),
    convolution(convTranspose, ["batch", 2, 2, 3], [2, 2, 3, 2], [4], {
      groups: 2,
      strides: [2, 3],
      pads: [1, 0, 0, 1],
      outputPadding: [1, 2],
    }),
  ],
  groupedWeightGradientOp: [
    {
      about: "two groups",
      inputs: [
        ["batch", 4, 3, 3],
        ["batch", 2, 2, 2],
      ],
      f: (large, small) =>
        groupedWeightGradientOp(large, small, {
          strides: [1, 1],
          dilations: [1, 1],
          pads: [0, 0, 0, 0],
          group: 2,
          to: [2, 2, 2, 2],
        }),
      ...long,
    },
  ],
  conv: [
    convolution(conv, ["batch", 2, 5], [3, 2, 3], [3], { strides: [2], pads: [1, 0] }),
    convolution(conv, ["batch", 2, 4], [2, 1, 2], [2], { groups: 2, dilations: [2] }),
    convolution(conv, ["batch", 1, 3, 4], [2, 1, 2, 3], [2], { autoPad: "SAME_UPPER", strides: [2, 2] }),
    convolution(conv, ["batch", 1, 3, 4], [2, 1, 2, 2], undefined, { autoPad: "SAME_LOWER" }),
    convolution(conv, ["batch", 1, 3, 3], [1, 1, 2, 2], undefined, { pads: [2, 0, 1, 1], dilations: [2, 1] }),
  ],
  convTranspose: [
    convolution(convTranspose, ["batch", 2, 3], [2, 3, 3], [3], {
      strides: [2],
      pads: [1, 0],
      outputPadding: [1],
    }),
    convolution(convTranspose, ["batch", 1, 2, 2], [1, 2, 3, 3], [2], {
      strides: [2, 2],
      outputShape: [4, 4],
    }),
    convolution(convTranspose, ["batch", 1, 2, 2], [1, 2, 3, 3], [2], {
      strides: [2, 2],
      autoPad: "SAME_UPPER",
    }),
    convolution(convTranspose, ["batch", 1, 2, 2], [1, 1, 1, 2], [1], {
      strides: [2, 1],
      outputShape: [5, 4],
    }),
  ],

  maxPoolOp: [
    {
      about: "halves",
      inputs: [["batch", 2, 4, 2]],
      f: (x) => maxPool(x, { kernel: [2, 2], strides: [2, 2] }).values,
    },
    {
      about: "windows overlap, padded",
      inputs: [["batch", 1, 3, 4]],
      f: (x) => maxPool(x, { kernel: [3, 2], strides: [2, 1], pads: [1, 1, 1, 0] }).values,
    },
    {
      about: "signals, dilated",
      inputs: [["batch", 2, 5]],
      f: (x) => maxPool(x, { kernel: [2], dilations: [2] }).values,
    },
    {
      about: "over the end",
      inputs: [["batch", 1, 5, 3]],
      f: (x) => maxPool(x, { kernel: [2, 2], strides: [2, 2], ceilMode: true }).values,
    },
  ],
  averagePoolOp: [
    {
      about: "halves",
      inputs: [["batch", 2, 4, 2]],
      f: (x) => averagePool(x, { kernel: [2, 2], strides: [2, 2] }),
      ...long,
    },
    {
      about: "rows and columns left over",
      inputs: [["batch", 1, 5, 4]],
      f: (x) => averagePool(x, { kernel: [2, 3], strides: [2, 3] }),
      ...long,
    },
    {
      about: "signals",
      inputs: [["batch", 2, 4]],
      f: (x) => averagePool(x, { kernel: [2], strides: [2] }),
      ...long,
    },
  ],
  averagePool: [
    {
      about: "padding does not count",
      inputs: [["batch", 2, 3, 3]],
      f: (x) => averagePool(x, { kernel: [2, 3], pads: [1, 1, 0, 1] }),
      ...long,
    },
    {
      about: "padding counts, over the end",
      inputs: [["batch", 1, 4, 4]],
      f: (x) =>
        averagePool(x, {
          kernel: [3, 3],
          strides: [2, 2],
          pads: [1, 1, 1, 1],
          countIncludePad: true,
          ceilMode: true,
        }),
      ...long,
    },
    {
      about: "signals",
      inputs: [["batch", 2, 5]],
      f: (x) => averagePool(x, { kernel: [3], dilations: [2] }),
      ...long,
    },
  ],
  lpPool: [
    {
      about: "root of squares",
      inputs: [["batch", 2, 3, 2]],
      f: (x) => lpPool(x, { kernel: [2, 2] }),
      dtype: "float32",
    },
    {
      about: "third root of cubes, signals",
      inputs: [["batch", 1, 4]],
      f: (x) => lpPool(x, { kernel: [2], strides: [2], p: 3 }),
      dtype: "float32",
    },
  ],
  globalAveragePool: [{ about: "images", inputs: [["batch", 2, 2, 3]], f: globalAveragePool }],
  globalMaxPool: [{ about: "images", inputs: [["batch", 2, 2, 3]], f: globalMaxPool }],
  globalLpPool: [{ about: "signals", inputs: [["batch", 2, 3]], f: (x) => globalLpPool(x) }],

  resize: [
    { about: "nearest, doubled", inputs: [["batch", 1, 2, 3]], f: (x) => resize(x, doubled(x)) },
    {
      about: "nearest, by no whole number",
      inputs: [["batch", 1, 3, 2]],
      f: (x) => resize(x, [{ axis: 2, size: 4 }], { coordinates: "asymmetric", nearest: "floor" }),
    },
    { about: "nearest, smaller", inputs: [["batch", 1, 5]], f: (x) => resize(x, [{ axis: 2, size: 3 }]) },
    {
      about: "linear, doubled",
      inputs: [["batch", 1, 2, 3]],
      f: (x) => resize(x, doubled(x), { mode: "linear" }),
    },
    {
      about: "linear, corners stay",
      inputs: [["batch", 2, 3]],
      f: (x) => resize(x, [{ axis: -1, size: 5 }], { mode: "linear", coordinates: "align_corners" }),
    },
    {
      about: "cubic, the first axis too",
      inputs: [[3, 4]],
      f: (x) =>
        resize(
          x,
          [
            { axis: 0, size: 4 },
            { axis: 1, size: 6 },
          ],
          { mode: "cubic" },
        ),
    },
    {
      about: "linear, smaller, a channel axis",
      inputs: [["batch", 4, 2, 2]],
      f: (x) => resize(x, [{ axis: 1, size: 2 }], { mode: "linear", antialias: true }),
    },
  ],
  depthToSpace: [
    { about: "DCR", inputs: [["batch", 4, 1, 2]], f: (x) => depthToSpace(x, 2) },
    { about: "CRD", inputs: [["batch", 8, 1, 2]], f: (x) => depthToSpace(x, 2, "CRD") },
  ],
  spaceToDepth: [{ about: "images", inputs: [["batch", 1, 4, 2]], f: (x) => spaceToDepth(x, 2) }],
} satisfies Family;

function doubled({ shape }: Value) {
  return [2, 3].map((axis) => ({ axis, size: 2 * Number(shape[axis]) }));
}
