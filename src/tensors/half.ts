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

/**
 * Round float32 numbers to little-endian IEEE 754 binary16, to the nearest, ties to even. Numbers below the smallest
 * normal one lose precision, as usual.
 *
 * @returns the bytes; undefined when a number is too large: 65520 and above would become infinite.
 */
export function halves(values: Float32Array): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) {
    if (!(Math.abs(value) < 65_520)) return undefined;
    view.setUint16(2 * i, halfOf(value), true);
  }
  return bytes;
}

function halfOf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  // Of numbers below 2^-14 the unit is 2^-24; of others it is 2^-10 of the power of two below.
  const exponent = Math.max(-14, size === 0 ? -14 : Math.floor(Math.log2(size)));
  const units = even(size / 2 ** (exponent - 10));
  // Normal numbers have 1024 units and more; a carry counts into the exponent.
  return sign + (exponent + 14) * 1024 + units;
}

/** Round to the nearest whole number, ties to even. */
function even(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
