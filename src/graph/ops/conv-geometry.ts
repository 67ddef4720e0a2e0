import { formatShape, isStatic, type Shape, shapeError } from "../dims.js";
import type { Value, ValueType } from "../value.js";
import { sameDType } from "./infer.js";
import type { Geometry } from "./patches.js";

/** Height and width. */
function sizes({ shape }: Value): readonly number[] {
  return shape.slice(2) as number[];
}

/** How far the kernel can move over the padded image, down and right. */
function ways(x: Value, weight: Value, { dilations, pads }: Geometry): number[] {
  return sizes(x).map((size, i) => size + pads[i] + pads[i + 2] - dilations[i] * (sizes(weight)[i] - 1) - 1);
}

/** The number of rows and columns at the end of an image that no window reads because of the stride. */
export function leftOver(x: Value, weight: Value, geometry: Geometry): number[] {
  return ways(x, weight, geometry).map((way, i) => way % geometry.strides[i]);
}

/**
 * Check that images and weights match. The weights of Conv are [all outputs, inputs per group, …], those of
 * ConvTranspose [all inputs, outputs per group, …].
 *
 * @throws {@link GanOnnxError} when they do not match.
 */
export function checkChannels(
  operator: "Conv" | "ConvTranspose",
  [x, weight, bias]: readonly Value[],
  groups = 1,
): void {
  const shapes = [x.shape, weight.shape];
  if (shapes.some((shape) => shape.length !== 4 || !isStatic(shape.slice(2)))) {
    throw shapeError(
      operator,
      "images and kernels with four axes, of known height and width, are needed",
      shapes,
    );
  }
  const axis = operator === "Conv" ? 1 : 0;
  const [going, coming] = [weight.shape[axis], weight.shape[1 - axis]];
  if (groups === 1) {
    if (x.shape[1] !== going) {
      throw shapeError(operator, `axis 1 of the images and axis ${axis} of the kernel differ`, shapes);
    }
  } else if (
    Number(x.shape[1]) !== Number(going) * (axis === 1 ? groups : 1) ||
    Number(weight.shape[0]) % groups !== 0
  ) {
    throw shapeError(operator, `the channels do not make ${groups} groups`, shapes);
  }
  const features = axis === 1 ? coming : groups === 1 ? coming : Number(coming) * groups;
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== features)) {
    throw shapeError(operator, "the bias has not one number a channel", [...shapes, bias.shape]);
  }
}

/**
 * The type of the result.
 *
 * @throws {@link GanOnnxError} when the result would be empty.
 */
export function image(operator: string, inputs: readonly Value[], shape: Shape): ValueType {
  const [x, weight] = inputs;
  if (shape.slice(2).some((size) => Number(size) < 1)) {
    const what = `the kernel ${formatShape(sizes(weight))} does not fit: the result would be ${formatShape(shape)}`;
    throw shapeError(operator, what, [x.shape, weight.shape]);
  }
  return { dtype: sameDType(operator, inputs), shape };
}

/** The spatial extents of the transposed convolution of x. */
export function grownSizes(
  x: Value,
  weight: Value,
  { strides, dilations, pads }: Geometry,
  outputPadding: readonly number[],
): number[] {
  return sizes(x).map((size, i) => {
    const reach = dilations[i] * (sizes(weight)[i] - 1) + 1;
    return strides[i] * (size - 1) + reach - pads[i] - pads[i + 2] + outputPadding[i];
  });
}

/** The spatial extents of the convolution of x. */
export function shrunkSizes(x: Value, weight: Value, geometry: Geometry): number[] {
  return ways(x, weight, geometry).map((way, i) => Math.floor(way / geometry.strides[i]) + 1);
}
