import { GanOnnxError } from "../error.js";
import type { Ports } from "../networks/index.js";
import { elementsOf, sizeOf, type Tensor, type Tensors, tensorIn } from "../tensors/tensor.js";

/**
 * What is fed to a network that came from a file, as that file wants it: latents `z`, or images `image`, and the classes
 * `label` under other names, in other shapes, of other types.
 */
export function feedsOf(ports: Ports, feeds: Tensors): Tensors {
  const x = feeds.get("z") ?? tensorIn(feeds, "image");
  const batch = x.shape[0];
  const named = new Map<string, Tensor>([[ports.x.name, { ...x, shape: [batch, ...ports.x.shape] }]]);
  const label = feeds.get("label");
  if (ports.label && label) named.set(ports.label.name, labelFor(ports.label, label, batch));
  return named;
}

function labelFor(
  { dtype, shape, classes }: NonNullable<Ports["label"]>,
  label: Tensor,
  batch: number,
): Tensor {
  const numbers = Array.from(label.data, Number);
  const full = [batch, ...shape];
  if (dtype === "int64" || dtype === "int32")
    return { dtype, shape: full, data: elementsOf(dtype, numbers) } as Tensor;
  const data = new Float32Array(sizeOf(full));
  numbers.forEach((chosen, i) => {
    data[i * classes + chosen] = 1;
  });
  return { dtype: "float32", shape: full, data };
}

/** The ports that a model's metadata tell. Throws what `fail` makes of a text that tells none. */
export function readPorts(text: string | undefined, where: string): Ports | undefined {
  if (text === undefined) return undefined;
  try {
    const ports: Ports = JSON.parse(text);
    const isShape = (shape: unknown) => Array.isArray(shape) && shape.every(Number.isSafeInteger);
    const holds =
      typeof ports.x.name === "string" &&
      isShape(ports.x.shape) &&
      typeof ports.output === "string" &&
      (ports.label === undefined ||
        (typeof ports.label.name === "string" &&
          ["int64", "int32", "float32"].includes(ports.label.dtype) &&
          isShape(ports.label.shape)));
    if (holds) return ports;
  } catch {
    // Said below.
  }
  throw new GanOnnxError({
    what: 'the metadata "ports" do not say how it is fed',
    where,
    fix: "export the model again",
  });
}
