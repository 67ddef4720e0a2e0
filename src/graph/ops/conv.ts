import { GanOnnxError } from "../../error.js";
import { defineOp, type Op } from "../operator.js";
import type { Value } from "../value.js";
import { checkChannels, grownSizes, image, leftOver, shrunkSizes } from "./conv-geometry.js";
import {
  convByProduct,
  convTransposeByProduct,
  fewPatches,
  type Geometry,
  weightGradientByProduct,
} from "./patches.js";
import { sum } from "./reduce.js";

// The arithmetic of both operators: Dumoulin and Visin, https://arxiv.org/abs/1603.07285. For one axis, with image
// extent h, kernel extent k, stride s, dilation d, paddings p and q, and r = d·(k - 1) + 1, the reach of the kernel:
//   Conv           o = ⌊(h + p + q - r) / s⌋ + 1
//   ConvTranspose  h = s·(o - 1) + r - p - q + output padding

const schema = { strides: "ints", dilations: "ints", pads: "ints" } as const;
const transposedSchema = { ...schema, output_padding: "ints" } as const;
const gradientSchema = { ...schema, to: "dims" } as const;

type Inputs = [x: Value, weight: Value, ...bias: Value[]];

export const convOp: Op<Inputs, typeof schema> = defineOp({
  type: "Conv",
  attributes: schema,
  infer: (inputs, geometry) => {
    const [x, weight] = inputs;
    checkChannels("Conv", inputs);
    return image("Conv", inputs, [x.shape[0], weight.shape[0], ...shrunkSizes(x, weight, geometry)]);
  },
  // Convolution is linear in x; its transpose is ConvTranspose with the same weights. If the stride leaves a remainder,
  // no output reads the last rows and columns. Output padding adds their zeros.
  vjp: ([x, weight, ...bias], _, g, geometry) => [
    () => convTransposeOp(g, weight, { ...geometry, output_padding: leftOver(x, weight, geometry) }),
    () => weightGradientOp(x, g, { ...geometry, to: weight.shape }),
    ...bias.map(() => () => sum(g, [0, 2, 3])),
  ],
  lower: ([x, weight, bias], y, geometry) =>
    isLearned(weight) && fewPatches(y.shape, weight.shape)
      ? convByProduct(x, weight, bias, y.shape, geometry)
      : undefined,
});

export const convTransposeOp: Op<Inputs, typeof transposedSchema> = defineOp({
  type: "ConvTranspose",
  attributes: transposedSchema,
  infer: (inputs, { output_padding, ...geometry }) => {
    const [x, weight] = inputs;
    checkChannels("ConvTranspose", inputs);
    const spatial = grownSizes(x, weight, geometry, output_padding);
    return image("ConvTranspose", inputs, [x.shape[0], weight.shape[1], ...spatial]);
  },
  vjp: ([x, weight, ...bias], _, g, { output_padding: _padding, ...geometry }) => [
    () => convOp(g, weight, geometry),
    () => weightGradientOp(g, x, { ...geometry, to: weight.shape }),
    ...bias.map(() => () => sum(g, [0, 2, 3])),
  ],
  lower: ([x, weight, bias], y, geometry) =>
    isLearned(weight) && fewPatches(x.shape, weight.shape)
      ? convTransposeByProduct(x, weight, bias, y.shape, geometry)
      : undefined,
});

/**
 * The gradient of the weights [b, a, …] of a convolution from `large` [batch, a, …] to `small` [batch, b, …]:
 *
 *     ∂W[b, a, k] = Σ small[n, b, o] · large[n, a, s·o + d·k - p]  over n and o
 *
 * ONNX has no such operator; it is written as a product.
 */
export const weightGradientOp: Op<[large: Value, small: Value], typeof gradientSchema> = defineOp({
  type: "ConvWeightGradient",
  attributes: gradientSchema,
  infer: ([large], { to }) => ({ dtype: large.dtype, shape: to }),
  vjp: ([large, small], _, g, { to: _to, ...geometry }) => [
    () => convTransposeOp(small, g, { ...geometry, output_padding: leftOver(large, g, geometry) }),
    () => convOp(large, g, geometry),
  ],
  lower: ([large, small], _, { to, ...geometry }) => weightGradientByProduct(large, small, to, geometry),
});

/** Whether weights change between calls. ONNX Runtime packs constant weights for its own convolution kernels. */
function isLearned(weight: Value): boolean {
  return weight.origin.kind !== "constant";
}

/** One number for both axes, or height and width. */
type Pair = number | readonly [height: number, width: number];

/** Options with PyTorch's names and defaults: stride and dilation 1, no padding, no bias. */
export interface ConvOptions {
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly bias?: Value;
}

export interface ConvTransposeOptions extends ConvOptions {
  /**
   * Rows and columns added at the end, fewer than the stride. Several input sizes convolve to the same output size;
   * this selects one of them.
   */
  readonly outputPadding?: Pair;
}

/**
 * Convolve images [batch, in, h, w] with weights [out, in, kh, kw] to [batch, out, h', w'], as torch.nn.Conv2d.
 * https://onnx.ai/onnx/operators/onnx__Conv.html
 *
 * @throws {@link GanOnnxError} when channels differ or the kernel is larger than the padded image.
 */
export function conv2d(x: Value, weight: Value, options: ConvOptions = {}): Value {
  return convOp(x, weight, ...(options.bias ? [options.bias] : []), geometryOf("conv2d", options));
}

/**
 * Transposed convolution of images [batch, in, h, w] with weights [in, out, kh, kw] to [batch, out, h', w'], as
 * torch.nn.ConvTranspose2d. https://onnx.ai/onnx/operators/onnx__ConvTranspose.html
 *
 * @throws {@link GanOnnxError} when channels differ or the result would be empty.
 */
export function convTranspose2d(x: Value, weight: Value, options: ConvTransposeOptions = {}): Value {
  const geometry = geometryOf("convTranspose2d", options);
  const output_padding = pair("convTranspose2d", "outputPadding", options.outputPadding ?? 0, 0);
  if (output_padding.some((padding, i) => padding >= geometry.strides[i])) {
    throw new GanOnnxError({
      what: `outputPadding ${output_padding.join(", ")} with stride ${geometry.strides.join(", ")}`,
      where: "convTranspose2d",
      fix: "choose less than the stride",
    });
  }
  return convTransposeOp(x, weight, ...(options.bias ? [options.bias] : []), { ...geometry, output_padding });
}

function geometryOf(where: string, { stride = 1, padding = 0, dilation = 1 }: ConvOptions): Geometry {
  const pads = pair(where, "padding", padding, 0);
  return {
    strides: pair(where, "stride", stride, 1),
    dilations: pair(where, "dilation", dilation, 1),
    pads: [...pads, ...pads],
  };
}

function pair(where: string, name: string, value: Pair, least: number): readonly number[] {
  const both = typeof value === "number" ? [value, value] : value;
  if (both.every((number) => Number.isInteger(number) && number >= least)) return both;
  throw new GanOnnxError({
    what: `${name} ${both.join(", ")}`,
    where,
    fix: `choose whole numbers of at least ${least}`,
  });
}
