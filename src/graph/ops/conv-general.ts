import { GanOnnxError } from "../../error.js";
import { shapeError } from "../dims.js";
import type { Value } from "../value.js";
import { convOp, convTransposeOp } from "./conv.js";
import { groupedConvOp, groupedConvTransposeOp } from "./conv-groups.js";
import { add } from "./elementwise.js";
import { reshape } from "./reshape.js";
import { pad } from "./slice.js";
import {
  asImages,
  asSignals,
  forImages,
  halves,
  reachOf,
  spatialSizes,
  type WindowOptions,
  type Windows,
  windowsForImages,
  windowsOf,
} from "./windows.js";

/** Options with ONNX's names. The defaults are 1, 0 or absent. */
export interface GeneralConvOptions extends WindowOptions {
  readonly bias?: Value;
  readonly groups?: number;
}

export interface GeneralConvTransposeOptions extends GeneralConvOptions {
  readonly outputPadding?: readonly number[];
  /** The spatial extents of the result. They determine the pads. */
  readonly outputShape?: readonly number[];
}

/** The extents of a kernel with one or two axes. */
function kernelOf(where: string, x: Value, weight: Value): readonly number[] {
  const rank = x.shape.length - 2;
  if (rank < 1 || rank > 2 || weight.shape.length !== x.shape.length) {
    throw shapeError(where, "signals or images, and a kernel of as many axes, are needed", [
      x.shape,
      weight.shape,
    ]);
  }
  return spatialSizes(where, weight, Array<number>(rank).fill(1));
}

/**
 * Convolve signals [batch, in, n] or images [batch, in, h, w] with weights [out, in / groups, …], as ONNX's Conv:
 * https://onnx.ai/onnx/operators/onnx__Conv.html. {@link conv2d} has PyTorch's parameters.
 *
 * @throws {@link GanOnnxError} when channels differ or the kernel is larger than the padded image.
 */
export function conv(x: Value, weight: Value, options: GeneralConvOptions = {}): Value {
  const { bias, groups: group = 1 } = options;
  const kernel = kernelOf("Conv", x, weight);
  const geometry = windowsForImages(windowsOf("Conv", spatialSizes("Conv", x, kernel), kernel, options));
  const inputs = [asImages(x), asImages(weight), ...(bias ? [bias] : [])] as const;
  const y = group === 1 ? convOp(...inputs, geometry) : groupedConvOp(...inputs, { ...geometry, group });
  return asSignals(y, x);
}

/**
 * Transposed convolution of signals [batch, in, n] or images [batch, in, h, w] with weights [in, out / groups, …], as
 * ONNX's ConvTranspose: https://onnx.ai/onnx/operators/onnx__ConvTranspose.html. {@link convTranspose2d} has PyTorch's
 * parameters.
 *
 * @throws {@link GanOnnxError} when channels differ or the result would be empty.
 */
export function convTranspose(x: Value, weight: Value, options: GeneralConvTransposeOptions = {}): Value {
  const { bias, groups: group = 1 } = options;
  const kernel = kernelOf("ConvTranspose", x, weight);
  const { windows, outputPadding } = transposedWindows(
    spatialSizes("ConvTranspose", x, kernel),
    kernel,
    options,
  );
  const geometry = windowsForImages(windows);
  const output_padding = forImages(outputPadding, 0);
  const grown = (output_padding: readonly number[], ...inputs: [Value, Value, ...Value[]]) =>
    group === 1
      ? convTransposeOp(...inputs, { ...geometry, output_padding })
      : groupedConvTransposeOp(...inputs, { ...geometry, group, output_padding });

  const [images, kernels] = [asImages(x), asImages(weight)];
  if (output_padding.every((padding, i) => padding < geometry.strides[i])) {
    return asSignals(grown(output_padding, images, kernels, ...(bias ? [bias] : [])), x);
  }
  // Rows that no stride reaches contain only the bias.
  const [down, right] = output_padding;
  const y = pad(grown([0, 0], images, kernels), [
    [0, 0],
    [0, 0],
    [0, down],
    [0, right],
  ]);
  return asSignals(bias ? add(y, reshape(bias, [bias.shape[0], 1, 1])) : y, x);
}

function transposedWindows(
  sizes: readonly number[],
  kernel: readonly number[],
  options: GeneralConvTransposeOptions,
): { windows: Windows; outputPadding: readonly number[] } {
  const { autoPad = "NOTSET", outputShape, outputPadding = kernel.map(() => 0) } = options;
  if (outputPadding.length !== kernel.length || !outputPadding.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new GanOnnxError({
      what: `output padding ${outputPadding.join(", ")}`,
      where: "ConvTranspose",
      fix: `give ${kernel.length} whole numbers of at least 0`,
    });
  }
  const given = { ...options, autoPad: autoPad === "VALID" ? autoPad : ("NOTSET" as const) };
  const windows = windowsOf("ConvTranspose", sizes, kernel, given);
  const same = autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER";
  if (!same && !outputShape) return { windows, outputPadding };
  const extents = outputShape?.slice(-kernel.length) ?? sizes.map((size, i) => size * windows.strides[i]);
  const totals = sizes.map((size, i) => {
    const { strides, dilations } = windows;
    return strides[i] * (size - 1) + outputPadding[i] + reachOf(kernel[i], dilations[i]) - extents[i];
  });
  // ONNX specifies that odd padding goes to the start, unless autoPad is SAME_UPPER.
  const both = totals.map((total) =>
    halves(Math.max(total, 0), autoPad === "SAME_UPPER" ? autoPad : "SAME_LOWER"),
  );
  return {
    windows: { ...windows, pads: [...both.map(([before]) => before), ...both.map(([, after]) => after)] },
    outputPadding: outputPadding.map((padding, i) => padding + Math.max(-totals[i], 0)),
  };
}
