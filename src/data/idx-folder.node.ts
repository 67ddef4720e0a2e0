import { basename, dirname, join, sep } from "node:path";
import { GanOnnxError } from "../error.js";
import { readBytes } from "../files.node.js";
import { type DataOptions, type Dataset, requireForm } from "./dataset.js";
import { type FolderContent, type FoundFile, firstFew } from "./folder.node.js";
import { type IdxFile, idxDataset } from "./idx.js";
import { idxNameOf, idxPairIn, isTestSet } from "./idx-names.js";

/** The IDX files of one place: a folder, and folders in it that are named like an IDX file. */
interface Place {
  /** The relative path; `.` is the folder itself. */
  readonly path: string;
  readonly files: readonly FoundFile[];
}

/** The places with IDX files in a folder, the folder itself first. */
function placesIn({ files }: FolderContent): Place[] {
  const places = new Map<string, FoundFile[]>();
  for (const file of files) {
    if (!idxNameOf(file.name)) continue;
    // Kaggle and 7-zip create a folder with the file's name and put the file into it.
    const folder = dirname(file.path);
    const path = idxNameOf(basename(folder)) ? dirname(folder) : folder;
    places.set(path, [...(places.get(path) ?? []), file]);
  }
  const depth = (path: string) => (path === "." ? 0 : path.split(sep).length);
  return [...places]
    .map(([path, found]) => ({ path, files: found.sort(byPreference) }))
    .sort((a, b) => depth(a.path) - depth(b.path) || (a.path < b.path ? -1 : 1));
}

/** Shallow before deep, uncompressed before compressed. */
function byPreference(a: FoundFile, b: FoundFile): number {
  const rank = ({ path, extension }: FoundFile) => 2 * path.split(sep).length + Number(extension === ".gz");
  return rank(a) - rank(b) || (a.path < b.path ? -1 : 1);
}

/** Whether a folder contains IDX files with MNIST's names: directly, or in a sub-folder. */
export function holdsIdxFiles(content: FolderContent): { readonly here: boolean; readonly below: boolean } {
  const places = placesIn(content);
  return { here: places[0]?.path === ".", below: places.length > 0 };
}

/**
 * Read the training set in a folder of IDX files with MNIST's names, see {@link idxNameOf}: in the folder itself, in
 * folders named like the files, or in the only sub-folder with such files. A test set beside it is ignored.
 *
 * @throws {@link GanOnnxError} when there are no training images or several sets of them, or a file is not valid for
 * {@link idxDataset}; of kind usage when `options` request another size or more channels.
 */
export async function readIdxFolder(content: FolderContent, options: DataOptions): Promise<Dataset> {
  const { folder } = content;
  const places = placesIn(content);
  const withImages = places.filter(({ files }) => trainingSets(files).length > 0);
  const [place] = withImages;
  if (!place) {
    throw new GanOnnxError({
      what: "has IDX files, but no training images (train-images-idx3-ubyte, also with .gz)",
      where: folder,
      fix: "add that file",
    });
  }
  if (place.path !== "." && withImages.length > 1) {
    throw new GanOnnxError({
      what: `has no IDX files itself, but several sub-folders that have some: ${firstFew(
        withImages.map(({ path }) => path),
        5,
      )}`,
      where: folder,
      fix: `name one of them, such as ${join(folder, place.path)}`,
    });
  }
  const sets = trainingSets(place.files);
  if (sets.length > 1) {
    throw new GanOnnxError({
      what: `has the training images of several sets: ${sets.join(", ")}`,
      where: join(folder, place.path),
      fix: "put the files of one set into a folder of their own",
    });
  }
  options.report?.("reading IDX files");
  const read = async (file: FoundFile): Promise<IdxFile> => {
    const path = join(folder, file.path);
    return { path, content: await readBytes(path) };
  };
  const { images, labels } = idxPairIn(place.files);
  const dataset = await idxDataset(folder, await read(images!), labels && (await read(labels)));
  requireForm(folder, dataset, options);
  options.signal?.throwIfAborted();
  return place.path === "." ? dataset : { ...dataset, remarks: [`read from the sub-folder ${place.path}`] };
}

/** Read the test set beside the training set of {@link readIdxFolder}, if there is one with labels. */
export async function readIdxTestSet(content: FolderContent): Promise<Dataset | undefined> {
  const place = placesIn(content).find(({ files }) => trainingSets(files).length > 0);
  const test = place?.files.filter(({ name }) => isTestSet(idxNameOf(name)?.set ?? "")) ?? [];
  const { images, labels } = idxPairIn(test);
  if (!images || !labels) return undefined;
  const { folder } = content;
  const [imageFile, labelFile] = await Promise.all(
    [images, labels].map(async (file) => {
      const path = join(folder, file.path);
      return { path, content: await readBytes(path) };
    }),
  );
  return idxDataset(`${folder}'s test images`, imageFile, labelFile);
}

/** The sets that have training images. */
function trainingSets(files: readonly FoundFile[]): string[] {
  const sets = files.flatMap(({ name }) => {
    const { kind, set } = idxNameOf(name)!;
    return kind === "images" && !isTestSet(set) ? [set] : [];
  });
  return [...new Set(sets)];
}
