import { GanOnnxError, setting, type Text, text } from "../error.js";

/** Images in memory, with a class for each if the source has classes. */
export interface Dataset {
  /** `mnist`, `drawn`, or the folder as given by the user. */
  readonly name: string;
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** `[count, channels, height, width]`, 0 black (the background of MNIST) to 255 white. */
  readonly images: Uint8Array;
  /** `[count]`, class numbers from 0. */
  readonly labels?: Uint8Array;
  /** The names of the classes, in the order of their numbers, including classes without images. */
  readonly classNames?: readonly string[];
  /** Images that are not used for training, if they were requested. */
  readonly heldOut?: Dataset;
  /** Makes the images and labels at some places. Whoever reads them calls it first, if it is given. */
  readonly provide?: (indices: Uint32Array) => void;
  /** Notes for the user about how the source was read, one line each: what was left out, and why. */
  readonly remarks?: readonly Text[];
}

/** Receives the progress of a source: the current activity, and how much is done of how much, if known. */
export type Report = (message: string, done?: number, total?: number) => void;

/** The possible backgrounds of transparent pixels. */
export const backgrounds = ["white", "black"] as const;
export type Background = (typeof backgrounds)[number];

/** Options for every source of images. */
export interface DataOptions {
  /** Seeds everything that the source draws at random. */
  readonly seed: number;
  /** 1 grey, 3 red-green-blue. */
  readonly channels?: 1 | 3;
  /** Height and width of an image in pixels. */
  readonly size?: number;
  /** The background of transparent pixels. The default is the one that keeps drawings visible. */
  readonly background?: Background;
  /** Refuse a folder with a picture that cannot be read, instead of leaving it out. */
  readonly strict?: boolean;
  readonly report?: Report;
  /** Aborts loading: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Height, width and channels of images whose source determines them. */
export type Form = Pick<Dataset, "channels" | "height" | "width">;

/** The form of the MNIST images, and of all sets that replace MNIST. */
export const mnistForm: Form = { channels: 1, height: 28, width: 28 };

/**
 * Check that the options do not request another form than that of the source.
 *
 * @throws {@link GanOnnxError} (usage) when they do.
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

/** The classes of MNIST and of drawn digits. */
export const digitNames: readonly string[] = [..."0123456789"];

/** Rows of `size` bytes, in the order of `indices`. */
export function gathered(source: Uint8Array, size: number, indices: Uint32Array): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(indices.length * size);
  indices.forEach((index, i) => {
    data.set(source.subarray(index * size, (index + 1) * size), i * size);
  });
  return data;
}

/** The images at `indices` of a data set, in that order, with their labels. */
export function chosen(dataset: Dataset, indices: Uint32Array): Dataset {
  const { channels, height, width, labels } = dataset;
  dataset.provide?.(indices);
  return {
    ...dataset,
    provide: undefined,
    count: indices.length,
    images: gathered(dataset.images, channels * height * width, indices),
    labels: labels && gathered(labels, 1, indices),
  };
}
