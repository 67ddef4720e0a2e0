import { someBytes } from "../helpers/dataset.js";
import { idx } from "../helpers/idx.js";

/** Images so small that their steps take no time. */
export const small = { count: 300, size: 8 };
export const smallImages = idx(
  [small.count, small.size, small.size],
  someBytes(small.count * small.size ** 2),
);
export const smallLabels = idx(
  [small.count],
  Array.from({ length: small.count }, (_, i) => i % 3),
);

/** A file as a file field is given it. */
export function fileOf(name: string, bytes: Uint8Array) {
  return { name, mimeType: "application/octet-stream", buffer: Buffer.from(bytes) };
}

/** The small images as files of MNIST's form. */
export function smallFiles() {
  return [fileOf("train-images-idx3-ubyte", smallImages), fileOf("train-labels-idx1-ubyte", smallLabels)];
}
