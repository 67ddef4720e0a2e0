/** The 16-bit element types of safetensors files. They are converted to float32. */
export const halfTypes = { F16: floatOfHalf, BF16: floatOfBrain } as const;
export type HalfType = keyof typeof halfTypes;

export const isHalfType = (type: string): type is HalfType => Object.hasOwn(halfTypes, type);

/** Convert little-endian 16-bit numbers to float32, without loss. */
export function widened(bytes: Uint8Array, type: HalfType): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const widen = halfTypes[type];
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => widen(view.getUint16(2 * i, true)));
}

/** IEEE 754 binary16: a sign, 5 bits of exponent with a bias of 15, 10 bits of fraction. */
function floatOfHalf(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const word = new DataView(new ArrayBuffer(4));

/** bfloat16: the upper half of a float32. */
function floatOfBrain(bits: number): number {
  word.setUint32(0, bits * 65_536);
  return word.getFloat32(0);
}
