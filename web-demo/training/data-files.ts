import type { Dataset } from "../../src/data/dataset.js";
import { idxDataset } from "../../src/data/idx.js";
import { idxNameOf, idxPairIn } from "../../src/data/idx-names.js";
import { GanOnnxError } from "../../src/error.js";
import { classesIn } from "../../src/training/batches.js";
import type { PageData } from "./plan.js";

/** The size of the user's pictures for training. */
const SIZE = 32;
/** The minimum number of pictures for training. */
const FEWEST = 4;

/** Whether a file is an MNIST file, or one with the same form. */
const isMnistFile = ({ name }: File) => idxNameOf(name) !== undefined;
const isPicture = ({ name }: File) => /\.(png|jpe?g|webp|gif|bmp)$/i.test(name);

/** Whether a file can be used for training. */
export function isDataFile(file: File): boolean {
  return isMnistFile(file) || isPicture(file);
}

/**
 * Read training data from files: images in MNIST's form, with their labels if there are any, or pictures.
 *
 * @throws {@link GanOnnxError} when a file contains no data, or is damaged.
 */
export async function dataIn(files: readonly File[]): Promise<PageData> {
  const pictures = files.filter((file) => !isMnistFile(file) && isPicture(file));
  if (pictures.length > 0) return { kind: "pictures", dataset: await datasetOfPictures(pictures) };
  const read = async (file: File | undefined) =>
    file && { path: file.name, content: new Uint8Array(await file.arrayBuffer()) };
  const pair = idxPairIn(files);
  const [images, labels] = await Promise.all([pair.images, pair.labels].map(read));
  if (!images) {
    const fix = "choose train-images-idx3-ubyte(.gz), and the labels with it if you like, or some pictures";
    throw new GanOnnxError({ what: "holds no images", where: files[0].name, fix });
  }
  const dataset = await idxDataset(images.path, images, labels);
  return { kind: "files", images, labels, classes: dataset.labels && classesIn(dataset.labels) };
}

/** The name of data. */
export async function nameOfData(data: PageData): Promise<string> {
  if (data.kind === "drawn") return "drawn by this page";
  if (data.kind === "pictures") return `${data.dataset.count} of your pictures`;
  const { count } = await idxDataset(data.images.path, data.images, data.labels);
  return `${count.toLocaleString("en")} of ${data.images.path}`;
}

async function datasetOfPictures(files: readonly File[]): Promise<Dataset> {
  if (files.length < FEWEST) {
    const what = files.length === 1 ? "is only one picture" : `are only ${files.length} pictures`;
    const where = files.map(({ name }) => name).join(", ");
    const fix = `choose ${FEWEST} or more: a network learns what pictures have in common`;
    throw new GanOnnxError({ what, where, fix });
  }
  const all = await Promise.all(files.map(pixelsOf));
  const colour = all.some((data) => data.some((value, i) => i % 4 < 2 && Math.abs(value - data[i + 1]) > 8));
  const [area, channels] = [SIZE * SIZE, colour ? 3 : 1];
  const images = new Uint8Array(all.length * channels * area);
  for (const [index, data] of all.entries()) {
    for (let channel = 0; channel < channels; channel++) {
      const to = (index * channels + channel) * area;
      for (let i = 0; i < area; i++) images[to + i] = data[4 * i + channel];
    }
  }
  return { name: "own pictures", count: all.length, channels, height: SIZE, width: SIZE, images };
}

/**
 * The central square of a picture, scaled down, as red, green, blue and opacity. The background contrasts with the
 * drawing.
 */
async function pixelsOf(file: File): Promise<Uint8ClampedArray> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch (cause) {
    const what = "is no picture that this browser can read, or is damaged";
    throw new GanOnnxError({ what, where: file.name, fix: "leave it out", cause });
  }
  const side = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  const context = new OffscreenCanvas(SIZE, SIZE).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser draws no canvas");
  context.imageSmoothingQuality = "high";
  const draw = () => context.drawImage(bitmap, left, top, side, side, 0, 0, SIZE, SIZE);
  draw();
  const { data } = context.getImageData(0, 0, SIZE, SIZE);
  let [light, opacity, clear] = [0, 0, false];
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3];
    light += alpha * (data[i] + data[i + 1] + data[i + 2]);
    opacity += 3 * alpha;
    clear ||= alpha < 255;
  }
  if (!clear) return data;
  context.fillStyle = light / Math.max(1, opacity) < 128 ? "white" : "black";
  context.fillRect(0, 0, SIZE, SIZE);
  draw();
  return context.getImageData(0, 0, SIZE, SIZE).data;
}
