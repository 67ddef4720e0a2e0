/**
 * Spherical interpolation (Shoemake 1985): from `a` (t = 0) to `b` (t = 1) along the great circle, with interpolated
 * length. Long normal vectors lie near a sphere. The straight line between two of them leaves the sphere, where the
 * generator was not trained.
 */
export function slerp(a: Float32Array, b: Float32Array, t: number): Float32Array<ArrayBuffer> {
  const [lengthA, lengthB] = [length(a), length(b)];
  const cosine = lengthA * lengthB === 0 ? 1 : dot(a, b) / (lengthA * lengthB);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  // Parallel vectors have no unique great circle; use the straight line.
  const straight = Math.sin(angle) < 1e-4;
  const [shareA, shareB] = straight
    ? [1 - t, t]
    : [Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)];
  if (straight) return Float32Array.from(a, (value, i) => shareA * value + shareB * b[i]);
  const size = (1 - t) * lengthA + t * lengthB;
  return Float32Array.from(a, (value, i) => size * ((shareA * value) / lengthA + (shareB * b[i]) / lengthB));
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

export function length(a: Float32Array): number {
  return Math.sqrt(dot(a, a));
}

/** `a + factor b`, in place. */
export function addScaled(a: Float32Array, b: Float32Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i] += factor * b[i];
}
