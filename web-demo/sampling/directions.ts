import { addScaled, dot, length } from "../../src/export/latent.js";
import { randomStream } from "../../src/tensors/random.js";

export interface Samples {
  readonly count: number;
  /** [count, latent] */
  readonly latents: Float32Array;
  /** [count, pixels]. They are modified in place. */
  readonly images: Float32Array;
  /** The class of each image, if there are classes. Differences between classes are not directions. */
  readonly labels?: BigInt64Array;
}

/**
 * Orthogonal unit vectors of the latent space along which the pictures change most: the principal components of the
 * images, by power iteration, each mapped to the latent space by its correlation with the latents (as in GANSpace,
 * https://arxiv.org/abs/2004.02546, which uses the components of a hidden layer).
 */
export function principalDirections(samples: Samples, count: number): Float32Array[] {
  const { latents, images, labels } = samples;
  const rows = rowsOf(images, samples.count);
  const codes = rowsOf(latents, samples.count);
  centre(rows, labels);
  const directions: Float32Array[] = [];
  for (let i = 0; i < Math.min(count, codes[0].length); i++) {
    const scores = nextComponent(rows, i);
    const direction = new Float32Array(codes[0].length);
    for (const [row, score] of scores.entries()) addScaled(direction, codes[row], score);
    for (const other of directions) addScaled(direction, other, -dot(direction, other));
    const size = length(direction);
    if (size > 0) directions.push(direction.map((value) => value / size));
  }
  return directions;
}

function rowsOf(matrix: Float32Array, count: number): Float32Array[] {
  const width = matrix.length / count;
  return Array.from({ length: count }, (_, row) => matrix.subarray(row * width, (row + 1) * width));
}

/** Subtract from each row the mean of its class. */
function centre(rows: readonly Float32Array[], labels?: BigInt64Array): void {
  for (const label of new Set(labels ?? [0n])) {
    const group = rows.filter((_, i) => !labels || labels[i] === label);
    const mean = new Float32Array(rows[0].length);
    for (const row of group) addScaled(mean, row, 1 / group.length);
    for (const row of group) addScaled(row, mean, -1);
  }
}

/** The coefficient of the strongest component in each row. The component is removed from the rows. */
function nextComponent(rows: readonly Float32Array[], key: number): Float64Array {
  const random = randomStream(0, "direction", key);
  let component = Float32Array.from(rows[0], () => random.normal());
  const scores = new Float64Array(rows.length);
  for (let iteration = 0; iteration < 12; iteration++) {
    const size = length(component) || 1;
    component = component.map((value) => value / size);
    for (const [i, row] of rows.entries()) scores[i] = dot(row, component);
    if (iteration === 11) break;
    component = new Float32Array(component.length);
    for (const [i, row] of rows.entries()) addScaled(component, row, scores[i]);
  }
  for (const [i, row] of rows.entries()) addScaled(row, component, -scores[i]);
  return scores;
}
