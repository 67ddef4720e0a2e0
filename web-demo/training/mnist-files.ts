import { idxNameOf, idxPairIn } from "../../src/data/idx-names.js";

/** Whether a file is one of MNIST's, or of its kind. */
export function isMnistFile({ name }: File): boolean {
  return idxNameOf(name) !== undefined;
}

/** The images and, if there are any, their labels; of all four files of MNIST, those to train with. */
export function pairIn(files: readonly File[]): [images?: File, labels?: File] {
  const { images, labels } = idxPairIn(files);
  return [images, labels];
}
