import { type ImageShape, pixelsOf } from "../recipes/design.js";

/** The most numbers in the images of a batch with which all results of a step are planned as one block of memory. */
const MOST_NUMBERS = 2 ** 18;

/**
 * Whether a training session should plan the memory of a step. It is faster by some percent, and takes a third more
 * memory or twice as much (bench/README.md), which is little for MNIST in batches of 128, but not for large images.
 */
export function plansMemory({ image, batchSize }: { image: ImageShape; batchSize: number }): boolean {
  return batchSize * pixelsOf(image) <= MOST_NUMBERS;
}
