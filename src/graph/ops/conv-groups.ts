import { defineOp, type Op } from "../operator.js";
import type { Value } from "../value.js";
import { checkChannels, grownSizes, image, leftOver, shrunkSizes } from "./conv-geometry.js";
import { groupedWeightGradientByProduct } from "./patches.js";
import { sum } from "./reduce.js";

// Convolutions whose channels are in independent groups: depthwise convolutions, and convolutions with a different
// kernel for each image, where the batch is folded into the channels. ONNX Runtime computes them group by group.

const schema = { strides: "ints", dilations: "ints", pads: "ints", group: "int" } as const;
const transposedSchema = { ...schema, output_padding: "ints" } as const;
const gradientSchema = { ...schema, to: "dims" } as const;

type Inputs = [x: Value, weight: Value, ...bias: Value[]];

export const groupedConvOp: Op<Inputs, typeof schema> = defineOp({
  type: "Conv",
  attributes: schema,
  infer: (inputs, geometry) => {
    const [x, weight] = inputs;
    checkChannels("Conv", inputs, geometry.group);
    return image("Conv", inputs, [x.shape[0], weight.shape[0], ...shrunkSizes(x, weight, geometry)]);
  },
  vjp: ([x, weight, ...bias], _, g, geometry) => [
    () => groupedConvTransposeOp(g, weight, { ...geometry, output_padding: leftOver(x, weight, geometry) }),
    () => groupedWeightGradientOp(x, g, { ...geometry, to: weight.shape }),
    ...bias.map(() => () => sum(g, [0, 2, 3])),
  ],
});

export const groupedConvTransposeOp: Op<Inputs, typeof transposedSchema> = defineOp({
  type: "ConvTranspose",
  attributes: transposedSchema,
  infer: (inputs, { output_padding, ...geometry }) => {
    const [x, weight] = inputs;
    checkChannels("ConvTranspose", inputs, geometry.group);
    const features = Number(weight.shape[1]) * geometry.group;
    return image("ConvTranspose", inputs, [
      x.shape[0],
      features,
      ...grownSizes(x, weight, geometry, output_padding),
    ]);
  },
  vjp: ([x, weight, ...bias], _, g, { output_padding: _padding, ...geometry }) => [
    () => groupedConvOp(g, weight, geometry),
    () => groupedWeightGradientOp(g, x, { ...geometry, to: weight.shape }),
    ...bias.map(() => () => sum(g, [0, 2, 3])),
  ],
});

/**
 * The gradient of the weights [groups·b, a, …] of a grouped convolution from `large` [batch, groups·a, …] to `small`
 * [batch, groups·b, …]. ONNX has no such operator; it is written as one product per group.
 */
export const groupedWeightGradientOp: Op<[large: Value, small: Value], typeof gradientSchema> = defineOp({
  type: "ConvWeightGradient",
  attributes: gradientSchema,
  infer: ([large], { to }) => ({ dtype: large.dtype, shape: to }),
  vjp: ([large, small], _, g, { to: _to, ...geometry }) => [
    () => groupedConvTransposeOp(small, g, { ...geometry, output_padding: leftOver(large, g, geometry) }),
    () => groupedConvOp(large, g, geometry),
  ],
  lower: ([large, small], _, { to, group, ...geometry }) =>
    groupedWeightGradientByProduct(large, small, to, group, geometry),
});
