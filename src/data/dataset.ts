import { GanOnnxError, setting, type Text, text } from "../error.js";

/** Images in memory, with a class for each where the source knows one. */
export interface Dataset {
  /** `mnist`, `drawn`, or the folder as the user gave it. */
  readonly name: string;
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** `[count, channels, height, width]`, 0 black (the background of MNIST) to 255 white. */
  readonly images: Uint8Array;
  /** `[count]`, class numbers from 0. */
  readonly labels?: Uint8Array;
  /** What the classes are called, in the order of their numbers; also those of which there is no image. */
  readonly classNames?: readonly string[];
  /** Images that nothing is learnt from, where they were asked for. */
  readonly heldOut?: Dataset;
  /** What a user should know about how the source was read, a line each: what was left out, and why. */
  readonly remarks?: readonly Text[];
}

/** Hears how far a source has come: what it is doing, and how much of how much is done where that is known. */
export type Report = (message: string, done?: number, total?: number) => void;

/** What may lie behind the transparent pixels of pictures. */
export const backgrounds = ["white", "black"] as const;
export type Background = (typeof backgrounds)[number];

/** What may be asked of every source of images. */
export interface DataOptions {
  /** Seeds whatever the source draws at random. */
  readonly seed: number;
  /** 1 grey, 3 red-green-blue. */
  readonly channels?: 1 | 3;
  /** Height and width of an image in pixels. */
  readonly size?: number;
  /** What transparent pixels are laid over; whichever keeps drawings visible unless told. */
  readonly background?: Background;
  /** Refuse a folder of which a picture cannot be read, instead of leaving that one out. */
  readonly strict?: boolean;
  readonly report?: Report;
  /** Aborts loading: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Height, width and channels of images whose source fixes them. */
export type Form = Pick<Dataset, "channels" | "height" | "width">;

/** The form of the MNIST images, and of everything that stands in for them. */
export const mnistForm: Form = { channels: 1, height: 28, width: 28 };

/**
 * Check that a source of fixed form was not asked for another one. Throws a usage {@link GanOnnxError} naming `name`
 * and both forms.
 */
export function requireForm(name: string, { channels, height, width }: Form, options: DataOptions): void {
  const { channels: wantedChannels = channels, size } = options;
  const [wantedHeight, wantedWidth] = [size ?? height, size ?? width];
  if (wantedChannels === channels && wantedHeight === height && wantedWidth === width) return;
  throw new GanOnnxError({
    what: `its images are ${channels}x${height}x${width} (channels x height x width), not ${wantedChannels}x${wantedHeight}x${wantedWidth}`,
    where: setting("data", name),
    fix: text`leave ${setting("size")} and ${setting("channels")} out, or name a folder of PNG or JPEG images, which are resized`,
    kind: "usage",
  });
}

/** The classes of MNIST, and of what stands in for it. */
export const digitNames: readonly string[] = [..."0123456789"];

/** Rows of `size` bytes, in the order of `indices`. */
export function gathered(source: Uint8Array, size: number, indices: Uint32Array): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(indices.length * size);
  indices.forEach((index, i) => {
    data.set(source.subarray(index * size, (index + 1) * size), i * size);
  });
  return data;
}

/** Some images of a data set, in the order of `indices`, with their labels. */
export function chosen(dataset: Dataset, indices: Uint32Array): Dataset {
  const { channels, height, width, labels } = dataset;
  return {
    ...dataset,
    count: indices.length,
    images: gathered(dataset.images, channels * height * width, indices),
    labels: labels && gathered(labels, 1, indices),
  };
}
