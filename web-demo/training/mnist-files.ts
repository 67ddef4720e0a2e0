/** Whether a file is one of MNIST's, also where the browser that fetched it has numbered it. */
export function isMnistFile({ name }: File): boolean {
  return /ubyte( ?\(\d+\))?(\.gz)?$/i.test(name);
}

/** The images and, if there are any, their labels; of all four files of MNIST, those to train with. */
export function pairIn(files: readonly File[]): [images?: File, labels?: File] {
  const named = (kind: RegExp) => files.filter(({ name }) => kind.test(name));
  /** `train-` of train-images-idx3-ubyte.gz. */
  const setOf = ({ name }: File) => name.slice(0, name.search(/images|labels/i)).toLowerCase();
  const all = named(/images/i);
  const images = all.find((file) => setOf(file).includes("train")) ?? all[0];
  return [images, images && named(/labels/i).find((file) => setOf(file) === setOf(images))];
}
