import type { Dataset } from "../data/dataset.js";
import type { Random } from "../tensors/random.js";

/** The augmentations: random changes to the images of a batch, different in each epoch. */
export const augmentationNames = ["flip", "shift"] as const;
export type Augmentation = (typeof augmentationNames)[number];

/** The largest shift as a fraction of the side: 3 pixels of 28, 4 of 32 (He et al. 2015, section 4.2). */
const LARGEST_SHIFT = 1 / 8;

/**
 * The augmentations in a list such as `flip,shift`, in the order in which they are applied. Undefined if the list
 * contains another name.
 */
export function augmentationsIn(list: string): readonly Augmentation[] | undefined {
  const named = list.split(",").map((name) => name.trim());
  if (!named.every((name) => (augmentationNames as readonly string[]).includes(name))) return undefined;
  return augmentationNames.filter((name) => named.includes(name));
}

/**
 * Augment the images of a step in place.
 *
 * `flip` mirrors an image horizontally with probability 1/2. `shift` moves it by a whole number of pixels vertically
 * and horizontally, all equally likely. New pixels repeat the edge, so no background is assumed.
 *
 * @param images `[count, channels, height, width]`, bytes.
 * @param random the stream of this step. The result depends on nothing else.
 */
export function augment(
  images: Uint8Array,
  { channels, height, width }: Pick<Dataset, "channels" | "height" | "width">,
  augmentations: readonly Augmentation[],
  random: Random,
): void {
  const area = height * width;
  const pixels = channels * area;
  const original = new Uint8Array(area);
  const [mostDown, mostAcross] = [height, width].map((side) => Math.round(side * LARGEST_SHIFT));
  for (let first = 0; first < images.length; first += pixels) {
    const flip = augmentations.includes("flip") && random.below(2) === 1;
    const shift = augmentations.includes("shift");
    const down = shift ? random.below(2 * mostDown + 1) - mostDown : 0;
    const across = shift ? random.below(2 * mostAcross + 1) - mostAcross : 0;
    if (!flip && down === 0 && across === 0) continue;
    for (let plane = first; plane < first + pixels; plane += area) {
      original.set(images.subarray(plane, plane + area));
      for (let y = 0; y < height; y++) {
        const row = clamped(y - down, height) * width;
        for (let x = 0; x < width; x++) {
          const column = clamped(x - across, width);
          images[plane + y * width + x] = original[row + (flip ? width - 1 - column : column)];
        }
      }
    }
  }
}

const clamped = (at: number, side: number) => (at < 0 ? 0 : at >= side ? side - 1 : at);
