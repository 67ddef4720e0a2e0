import { availableParallelism } from "node:os";
import { join, sep } from "node:path";
import { setImmediate } from "node:timers/promises";
import { GanOnnxError, setting, type Text, text } from "../error.js";
import { Thread } from "../runtime/thread.node.js";
import { type Classes, classesIn } from "./classes.js";
import { type Background, type DataOptions, type Dataset, mnistForm } from "./dataset.js";
import { type DatedFile, dated, type FolderContent, firstFew, kindsOf } from "./folder.node.js";
import { keep, kept, keyOf, type PicturesOfFolder } from "./image-cache.node.js";
import { formatNames, pictureExtensions } from "./picture-formats.node.js";
import { type PictureRead, type PicturesToRead, type ReadingTask, readPictures } from "./pictures.node.js";

/** The number of pictures between two progress reports, about half a second. */
const reportEvery = 100;
/** The number of pictures per request to a thread. */
const PORTION = 32;
/** With fewer pictures per thread, reading them takes less time than starting the thread. */
const WORTH_A_THREAD = 200;
const MOST_THREADS = 8;

/** The minimum number of pictures for caching. */
const WORTH_KEEPING = 500;

/** Whether a folder contains files with a picture's extension. */
export function holdsPictures({ files }: FolderContent): boolean {
  return files.some(({ extension }) => pictureExtensions.has(extension));
}

/**
 * Read the pictures in a folder and its sub-folders, in the order of their paths: PNG, JPEG, WebP, BMP, GIF and TIFF.
 * Of animations only the first picture is read.
 *
 * Each picture is cropped to its central square ("cover"), resized to `size` x `size` and, for one channel, converted
 * to grey. The background of transparent pixels is `background`; the default is black, or white if the drawings are
 * nearer to black. Sub-folders are classes, see {@link classesIn}. A picture that cannot be read is left out and named
 * in the remarks, or refused if `strict`. Threads read the pictures. Folders with 500 or more are cached until a file's
 * name, size or time changes.
 *
 * @param options `size` in pixels (default 28) and `channels` (default 1).
 * @throws {@link GanOnnxError} when no picture can be read, or, if `strict`, when one cannot.
 */
export async function readImageFolder(content: FolderContent, options: DataOptions): Promise<Dataset> {
  const { folder } = content;
  const { channels = mnistForm.channels as 1, size = mnistForm.height, background, strict } = options;
  const pictures = content.files.filter(({ extension }) => pictureExtensions.has(extension));
  const classes = classesIn({
    folders: content.folders.map((path) => path.split(sep)),
    pictures: pictures.map(({ path }) => path.split(sep)),
  });
  const files = await dated(
    folder,
    classes.used.map((place) => pictures[place]),
  );
  const form = { channels, size, background };
  const key = keyOf(folder, files, form);
  const isWorthKeeping = files.length >= WORTH_KEEPING;
  const cached = isWorthKeeping ? await kept(key) : undefined;
  const read = cached ?? (await readAll(folder, files, form, options));
  if (strict && read.broken.length > 0) throw unreadable(folder, files, read.broken[0]);
  const complaint = isWorthKeeping && !cached ? await keep(key, read) : undefined;
  return assembled(content, files, classes, read, { channels, size, complaint });
}

async function readAll(
  folder: string,
  files: readonly DatedFile[],
  form: { channels: 1 | 3; size: number; background?: Background },
  { strict, report, signal }: DataOptions,
): Promise<PicturesOfFolder> {
  const { channels, size } = form;
  const images = allocate(folder, [files.length, channels, size, size]);
  const large = new Int32Array(new SharedArrayBuffer(4));
  const task: ReadingTask = { folder, images, large, ...form };
  const found: PictureRead[] = [];
  const portions = portionsOf(files);
  let failed = false;
  const work = async (ask: (portion: PicturesToRead) => Promise<PictureRead[]>) => {
    for (let portion = portions.next(); !portion.done && !failed; portion = portions.next()) {
      signal?.throwIfAborted();
      const before = found.length;
      const answer = await ask(portion.value);
      const first = answer.find(({ broken }) => broken !== undefined);
      if (strict && first) throw unreadable(folder, files, first as { place: number; broken: string });
      found.push(...answer);
      const isDue = Math.floor(found.length / reportEvery) > Math.floor(before / reportEvery);
      if (isDue || found.length === files.length) report?.("reading images", found.length, files.length);
      await setImmediate();
    }
  };
  const count = Math.min(MOST_THREADS, availableParallelism(), Math.floor(files.length / WORTH_A_THREAD));
  if (count < 2) {
    await work((portion) => readPictures(task, portion));
  } else {
    const open = () =>
      new Thread<PicturesToRead, PictureRead[]>("#picture-worker", "a reader of images", task);
    const threads = Array.from({ length: count }, open);
    const stop = () => Promise.all(threads.map((thread) => thread.end("reading stopped")));
    signal?.addEventListener("abort", stop, { once: true });
    try {
      await Promise.all(threads.map((thread) => work((portion) => thread.ask(portion))));
    } catch (error) {
      failed = true;
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
      await stop();
    }
  }
  found.sort((a, b) => a.place - b.place);
  const background = chooseBackground(found);
  if (background?.chosen === "white") {
    const pixels = channels * size * size;
    for (const { place, overWhite } of found) if (overWhite) images.set(overWhite, place * pixels);
  }
  const broken = found.flatMap(({ place, broken }) => (broken === undefined ? [] : [{ place, broken }]));
  return { images, broken, background };
}

function* portionsOf(files: readonly DatedFile[]): Generator<PicturesToRead, undefined> {
  for (let first = 0; first < files.length; first += PORTION) {
    yield files.slice(first, first + PORTION).map(({ path }, i) => ({ place: first + i, path }));
  }
}

/** Black, as in MNIST, unless the drawings on transparent ground are on average nearer to black than to white. */
function chooseBackground(found: readonly PictureRead[]): PicturesOfFolder["background"] {
  const drawings = found.filter(({ overWhite }) => overWhite !== undefined);
  if (drawings.length === 0) return undefined;
  const sum = (key: "opacity" | "luma") =>
    drawings.reduce((total, drawing) => total + (drawing[key] ?? 0), 0);
  const isDark = sum("luma") < 127.5 * sum("opacity");
  return { chosen: isDark ? "white" : "black", pictures: drawings.length };
}

function assembled(
  { folder, files: all }: FolderContent,
  files: readonly DatedFile[],
  { labels, classNames, remarks }: Classes,
  { images, broken, background }: PicturesOfFolder,
  { channels, size, complaint }: { channels: number; size: number; complaint?: string },
): Dataset {
  const isBroken = new Set(broken.map(({ place }) => place));
  const places = files.map((_, place) => place).filter((place) => !isBroken.has(place));
  const named = broken.map(({ place, broken }) => `${files[place].path} ${broken}`);
  if (places.length === 0) {
    throw new GanOnnxError({
      what: `none of its pictures (${files.length}) can be read: ${firstFew(named, 2, "; ")}`,
      where: folder,
      fix: "replace them by whole ones",
    });
  }
  const pixels = channels * size * size;
  places.forEach((place, to) => {
    if (place !== to) images.copyWithin(to * pixels, place * pixels, (place + 1) * pixels);
  });
  const byteLabels = labels && Uint8Array.from(places, (place) => labels[place]);
  const empty = classNames?.filter((_, number) => !byteLabels?.includes(number)) ?? [];
  const others = all.filter(({ extension }) => !pictureExtensions.has(extension));
  const notes: Text[] = [
    ...(broken.length > 0
      ? [`left out: ${broken.length} of ${files.length} pictures: ${firstFew(named, 3, "; ")}`]
      : []),
    ...remarks,
    ...(empty.length > 0
      ? [`classes without a picture, which keep their number: ${firstFew(empty, 5)}`]
      : []),
    ...(others.length > 0 ? [`left out: files that are not ${formatNames}: ${kindsOf(others)}`] : []),
    ...(background ? [describeBackground(background)] : []),
    ...(complaint ? [complaint] : []),
  ];
  return {
    name: folder,
    count: places.length,
    channels,
    height: size,
    width: size,
    images: images.subarray(0, places.length * pixels),
    ...(byteLabels && { labels: byteLabels, classNames }),
    ...(notes.length > 0 && { remarks: notes }),
  };
}

function describeBackground({ chosen, pictures }: { chosen: Background; pictures: number }): Text {
  const other = chosen === "white" ? "black" : "white";
  const which = pictures === 1 ? "1 picture has" : `${pictures} pictures have`;
  return text`${which} transparent pixels, laid over ${chosen} to keep the drawing visible (${setting("background", other)} changes that)`;
}

function unreadable(
  folder: string,
  files: readonly DatedFile[],
  { place, broken }: { place: number; broken: string },
): GanOnnxError {
  return new GanOnnxError({
    what: broken,
    where: join(folder, files[place].path),
    fix: text`repair or remove the file, or leave ${setting("strict")} out`,
  });
}

function allocate(folder: string, shape: readonly number[]): Uint8Array<SharedArrayBuffer> {
  const bytes = shape.reduce((product, dim) => product * dim, 1);
  try {
    return new Uint8Array(new SharedArrayBuffer(bytes));
  } catch (cause) {
    throw new GanOnnxError({
      what: `its images at ${shape.join(" x ")} take ${(bytes / 1e9).toFixed(1)} GB, more than there is memory for`,
      where: folder,
      fix: "choose a smaller size or fewer images",
      cause,
    });
  }
}
