import type { Ports } from "../networks/index.js";
import type { ModelSummary } from "../onnx/index.js";
import type { ImageShape } from "../recipes/index.js";
import { type GeneratorFile, noGenerator } from "./description.js";

type Port = ModelSummary["inputs"][number];

/**
 * Describe a generator without this program's metadata from its shapes: the input is one row of random numbers and
 * optionally a class, the output is pictures.
 *
 * @throws {@link GanOnnxError} when input or output are not of this form.
 */
export function describeForeign(summary: ModelSummary, where: string): GeneratorFile & { ports: Ports } {
  const { inputs, outputs, metadata, operators } = summary;
  const shown = (ports: readonly Port[]) =>
    ports.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape}]`).join(", ") || "nothing";
  const floats = inputs.filter(({ dtype }) => dtype === "float32");
  const whole = inputs.filter(({ dtype }) => dtype === "int64" || dtype === "int32");
  const [z] = floats;
  const latentShape = z?.shape.slice(1) ?? [];
  const isVector = latentShape.length > 0 && latentShape.every((dim) => typeof dim === "number");
  if (floats.length !== 1 || !isVector || whole.length > 1 || inputs.length !== 1 + whole.length) {
    throw noGenerator(`takes ${shown(inputs)}, and a generator takes random numbers [batch, n]`, where);
  }
  const found = outputs.flatMap((port) => {
    const form = formOf(port);
    return form ? [{ name: port.name, ...form }] : [];
  });
  if (found.length === 0) {
    throw noGenerator(`gives ${shown(outputs)}, and a picture is [batch, channels, height, width]`, where);
  }
  const [label] = whole;
  const { name: image, shape, channelsLast } = found[0];
  const last = operators.findLast((operator) => ["Tanh", "Sigmoid"].includes(operator));
  return {
    latent: (latentShape as number[]).reduce((product, dim) => product * dim, 1),
    classes: label && Number(metadata.classes ?? 10),
    image: shape,
    range: last === "Sigmoid" ? [0, 1] : [-1, 1],
    metadata,
    ports: {
      input: z.name,
      inputShape: latentShape as number[],
      label: label?.name,
      labelType: label?.dtype as Ports["labelType"],
      labelShape: label?.shape.slice(1) as number[] | undefined,
      output: image,
      channelsLast,
      single: z.shape[0] === 1,
    },
  };
}

/** The form of the pictures in an output, if it can contain pictures: with 1 or 3 channels, or square and flattened. */
function formOf({ dtype, shape }: Port): { shape: ImageShape; channelsLast: boolean } | undefined {
  const dims = shape.slice(1).map(Number);
  if (dtype !== "float32" || !dims.every((dim) => Number.isInteger(dim) && dim > 0)) return undefined;
  const [a, b, c] = dims;
  if (dims.length === 3 && (a === 1 || a === 3)) {
    return { shape: { channels: a, height: b, width: c }, channelsLast: false };
  }
  if (dims.length === 3 && (c === 1 || c === 3)) {
    return { shape: { channels: c, height: a, width: b }, channelsLast: true };
  }
  if (dims.length === 2) return { shape: { channels: 1, height: a, width: b }, channelsLast: false };
  for (const channels of [1, 3]) {
    const side = Math.sqrt(a / channels);
    if (dims.length === 1 && Number.isInteger(side) && side > 1) {
      return { shape: { channels, height: side, width: side }, channelsLast: false };
    }
  }
  return undefined;
}
