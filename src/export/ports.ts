import { GanOnnxError } from "../error.js";
import type { Ports } from "../networks/index.js";
import { elementsOf, sizeOf, type Tensor, type Tensors, tensorIn } from "../tensors/tensor.js";

/**
 * Convert feeds to the form of a network in a file: latents `z` or images `image`, and the classes `label` (numbers, or
 * a weight for each class), get its names, shapes and types.
 */
export function portFeeds(
  { input, inputShape, label: labelName, labelType = "int64", labelShape = [] }: Ports,
  feeds: Tensors,
): Tensors {
  const x = feeds.get("z") ?? tensorIn(feeds, "image");
  const batch = x.shape[0];
  const named = new Map<string, Tensor>([[input, { ...x, shape: [batch, ...inputShape] }]]);
  const label = feeds.get("label");
  if (labelName === undefined || !label) return named;
  // Class weights are fed unchanged to a model that was converted to mix classes.
  if (label.dtype === "float32") return named.set(labelName, label);
  const shape = [batch, ...labelShape];
  const numbers = Array.from(label.data, Number);
  if (labelType !== "float32")
    return named.set(labelName, { dtype: labelType, shape, data: elementsOf(labelType, numbers) } as Tensor);
  const data = new Float32Array(sizeOf(shape));
  const classes = data.length / batch;
  numbers.forEach((chosen, i) => {
    data[i * classes + chosen] = 1;
  });
  return named.set(labelName, { dtype: "float32", shape, data });
}

/**
 * Read the ports from a model's metadata.
 *
 * @throws {@link GanOnnxError} when the text is invalid.
 */
export function readPorts(text: string | undefined, where: string): Ports | undefined {
  if (text === undefined) return undefined;
  try {
    const ports: Ports = JSON.parse(text);
    const isShape = (shape: unknown) => Array.isArray(shape) && shape.every(Number.isSafeInteger);
    const holds =
      typeof ports.input === "string" &&
      isShape(ports.inputShape) &&
      typeof ports.output === "string" &&
      (ports.label === undefined ||
        (typeof ports.label === "string" &&
          ["int64", "int32", "float32"].includes(ports.labelType ?? "int64") &&
          isShape(ports.labelShape ?? [])));
    if (holds) return ports;
  } catch {
    // The error below describes it.
  }
  throw new GanOnnxError({
    what: 'the metadata "ports" do not say how it is fed',
    where,
    fix: "export the model again",
  });
}
