import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fillUniform, randomStream } from "../../src/tensors/random.js";
import { idx } from "./idx.js";

/** Bytes that are the same in every test run. */
export function someBytes(count: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(fillUniform(randomStream(1, "bytes"), new Float32Array(count)), (u) => u * 256);
}

/** Write a folder of IDX files with images of noise and a label for each. */
export async function writeIdxFolder(
  folder: string,
  { count, size }: { count: number; size: number },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const images = idx([count, size, size], someBytes(count * size * size));
  await writeFile(join(folder, "train-images-idx3-ubyte"), images);
  const labels = Array.from({ length: count }, (_, i) => i % 10);
  await writeFile(join(folder, "train-labels-idx1-ubyte"), idx([count], labels));
}
