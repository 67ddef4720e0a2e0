/** An IDX file of unsigned bytes (http://yann.lecun.com/exdb/mnist/). Without Vitest: bench/ uses it too. */
export function idx(dims: readonly number[], values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + 4 * dims.length + values.length);
  bytes.set([0, 0, 8, dims.length]);
  dims.forEach((dim, axis) => {
    new DataView(bytes.buffer).setUint32(4 + 4 * axis, dim);
  });
  bytes.set(values, 4 + 4 * dims.length);
  return bytes;
}
