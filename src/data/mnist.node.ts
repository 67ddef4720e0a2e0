import { join } from "node:path";
import { setting, text } from "../error.js";
import { cacheFolder } from "./cache.node.js";
import { type DataOptions, type Dataset, digitNames, mnistForm, requireForm } from "./dataset.js";
import { obtain, type RemoteFile } from "./download.node.js";
import { idxDataset } from "./idx.js";

/** The four files of MNIST, and of sets with the same form. */
export interface MnistFiles {
  readonly trainImages: RemoteFile;
  readonly trainLabels: RemoteFile;
  readonly testImages: RemoteFile;
  readonly testLabels: RemoteFile;
}

/** MNIST (LeCun, Cortes, Burges). The MD5s, here and below, are from torchvision's `datasets/mnist.py`. */
export const mnistFiles = {
  trainImages: {
    name: "train-images-idx3-ubyte.gz",
    bytes: 9_912_422,
    md5: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
  },
  trainLabels: { name: "train-labels-idx1-ubyte.gz", bytes: 28_881, md5: "d53e105ee54ea40749a09fcbcd1e9432" },
  testImages: {
    name: "t10k-images-idx3-ubyte.gz",
    bytes: 1_648_877,
    md5: "9fb629c4189551a2d022fa330f9573f3",
  },
  testLabels: { name: "t10k-labels-idx1-ubyte.gz", bytes: 4_542, md5: "ec29112dd5afa0611ce80d1b7f02629c" },
} satisfies MnistFiles;

/** Files with MNIST's names and other MD5s. */
function filesWith(md5s: readonly [string, string, string, string]): MnistFiles {
  const [trainImages, trainLabels, testImages, testLabels] = Object.values(mnistFiles).map(({ name }, i) => ({
    name,
    md5: md5s[i],
  }));
  return { trainImages, trainLabels, testImages, testLabels };
}

/** A set with 60,000 training images of 28x28 pixels and ten classes. */
export interface MnistLike {
  readonly files: MnistFiles;
  /** Base URLs of the four files, tried in this order. */
  readonly mirrors: readonly string[];
  readonly classNames: readonly string[];
}

/** The sets that can be loaded by name. */
export const mnistLikes = {
  mnist: {
    files: mnistFiles,
    mirrors: [
      "https://storage.googleapis.com/cvdf-datasets/mnist/",
      "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ],
    classNames: digitNames,
  },
  /** Xiao, Rasul, Vollgraf 2017, https://github.com/zalandoresearch/fashion-mnist */
  "fashion-mnist": {
    files: filesWith([
      "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
      "25c81989df183df01b3e8a0aad5dffbe",
      "bef4ecab320f06d8554ea6380940ec79",
      "bb300cfdad3c16e7a12a480ee83cd310",
    ]),
    mirrors: [
      "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ],
    classNames: [
      "T-shirt/top",
      "Trouser",
      "Pullover",
      "Dress",
      "Coat",
      "Sandal",
      "Shirt",
      "Sneaker",
      "Bag",
      "Ankle boot",
    ],
  },
  /** Clanuwat et al. 2018, https://github.com/rois-codh/kmnist: characters from old Japanese books. */
  kmnist: {
    files: filesWith([
      "bdb82020997e1d708af4cf47b453dcf7",
      "e144d726b3acfaa3e44228e80efcd344",
      "5c965bf0a639b31b8f53240b1b52f4d7",
      "7320c461ea6c1c855c0b718fb2a4b134",
    ]),
    mirrors: ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
    classNames: ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
  },
} satisfies Record<string, MnistLike>;

export type MnistLikeName = keyof typeof mnistLikes;

export interface MnistOptions extends DataOptions {
  /** The folder for the files. The default is a folder with the set's name in {@link cacheFolder}. */
  readonly folder?: string;
  readonly mirrors?: readonly string[];
  readonly files?: MnistFiles;
  readonly stallMs?: number;
}

/** Whether a name is that of one of these sets. */
export const isMnistLike = (name: string): name is MnistLikeName => Object.hasOwn(mnistLikes, name);

/**
 * Load the 60,000 training images of a set, 1x28x28 with labels. All four files are downloaded the first time and
 * stored. A stored file with a wrong MD5 is downloaded again.
 *
 * @throws {@link GanOnnxError} when no mirror has a file, with the reason for each mirror and the folder for manual
 * downloads; of kind usage when another size or more channels are requested.
 */
export async function loadMnistLike(name: MnistLikeName, options: MnistOptions): Promise<Dataset> {
  requireForm(name, mnistForm, options);
  const { files, get, classNames } = sourceOf(name, options);
  const images = await get(files.trainImages);
  const labels = await get(files.trainLabels);
  await get(files.testImages);
  await get(files.testLabels);
  return { ...(await idxDataset(name, images, labels)), classNames };
}

/**
 * Load the 10,000 test images of such a set.
 *
 * @throws {@link GanOnnxError} as {@link loadMnistLike}.
 */
export async function loadMnistLikeTest(name: MnistLikeName, options: MnistOptions): Promise<Dataset> {
  const { files, get, classNames } = sourceOf(name, options);
  const images = await get(files.testImages);
  const labels = await get(files.testLabels);
  return { ...(await idxDataset(`${name}'s test images`, images, labels)), classNames };
}

function sourceOf(name: MnistLikeName, options: MnistOptions) {
  const set: MnistLike = mnistLikes[name];
  const { files = set.files, folder = join(cacheFolder(), name), mirrors = set.mirrors } = options;
  const names = Object.values(files).map((file) => file.name);
  const fix = text`put ${names.join(", ")} into ${folder}, or use ${setting("data", "drawn")}, which needs no download`;
  const download = { ...options, folder, mirrors, name, fix };
  return { files, classNames: set.classNames, get: (file: RemoteFile) => obtain(file, download) };
}
