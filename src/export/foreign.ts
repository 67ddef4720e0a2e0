import type { Ports } from "../networks/index.js";
import type { ModelSummary } from "../onnx/index.js";
import type { ImageShape } from "../recipes/index.js";
import { type GeneratorFile, noGenerator } from "./description.js";

type Port = ModelSummary["inputs"][number];

/**
 * A generator without our metadata, by what its shapes tell: one row of random numbers goes in, perhaps a class, and
 * pictures come out.
 *
 * @throws GanOnnxError saying which of it cannot be found.
 */
export function describeForeign(summary: ModelSummary, where: string): GeneratorFile & { ports: Ports } {
  const { inputs, outputs, metadata, operators } = summary;
  const shown = (ports: readonly Port[]) =>
    ports.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape}]`).join(", ") || "nothing";
  const floats = inputs.filter(({ dtype }) => dtype === "float32");
  const whole = inputs.filter(({ dtype }) => dtype === "int64" || dtype === "int32");
  const [z] = floats;
  const latentShape = z?.shape.slice(1) ?? [];
  const known = latentShape.length > 0 && latentShape.every((dim) => typeof dim === "number");
  if (floats.length !== 1 || !known || whole.length > 1 || inputs.length !== 1 + whole.length) {
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

/** The pictures that an output holds, if it can be pictures: of 1 or 3 colours, or square ones laid flat. */
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
