import { GanOnnxError } from "../../error.js";
import { type Dim, formatShape, shapeError } from "../dims.js";
import { defineOp } from "../operator.js";
import type { Value } from "../value.js";
import { sameDType } from "./infer.js";
import { sum } from "./reduce.js";
import { split, transpose } from "./shape.js";

/** How a kernel walks over an image, as ONNX writes it: two numbers each, four for pads (top, left, bottom, right). */
interface Geometry {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

const schema = { strides: "ints", dilations: "ints", pads: "ints" } as const;
const transposedSchema = { ...schema, output_padding: "ints" } as const;

/** The heights and widths of an image and a kernel. Throws when they are no images, or their channels differ. */
function sizes(operator: string, inputs: readonly Value[], kernelIn: number): { image: number[]; kernel: number[] } {
  const [x, weight, bias] = inputs;
  const shapes = [x.shape, weight.shape];
  if (shapes.some((shape) => shape.length !== 4 || shape.slice(2).some((dim) => typeof dim === "string"))) {
    throw shapeError(operator, "[batch, channels, height, width] and [.., .., height, width] are needed", shapes);
  }
  if (x.shape[1] !== weight.shape[kernelIn]) throw shapeError(operator, "channels differ", shapes);
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== weight.shape[1 - kernelIn])) {
    throw shapeError(operator, "the bias needs one number a channel", [weight.shape, bias.shape]);
  }
  return { image: x.shape.slice(2) as number[], kernel: weight.shape.slice(2) as number[] };
}

/** For both axes: how far the kernel can move over the padded image, s·(o - 1) and what the last stride leaves. */
function travel(image: readonly number[], kernel: readonly number[], { dilations, pads }: Geometry): number[] {
  return image.map((size, a) => size + pads[a] + pads[a + 2] - dilations[a] * (kernel[a] - 1) - 1);
}
