// The page uses this for dropped files: it needs no Node.

/** The parts of an IDX file's name. */
export interface IdxName {
  readonly kind: "images" | "labels";
  /** The prefix in lower case, `train` or `emnist-letters-train`. Images and labels of a set have the same prefix. */
  readonly set: string;
}

/**
 * Parse the name of an IDX file: `train-images-idx3-ubyte`, optionally with `.gz`, in upper case, with a dot before
 * `idx` (Kaggle), with the prefix `emnist-letters-`, or with ` (1)` (added by browsers). Undefined for other names.
 */
export function idxNameOf(name: string): IdxName | undefined {
  const match = /^(.*?)[-_.]?(images|labels)[-_.]?idx[13][-_.]ubyte( ?\(\d+\))?(\.gz)?( ?\(\d+\))?$/i.exec(
    name,
  );
  if (!match) return undefined;
  const [set, kind] = [match[1].toLowerCase(), match[2].toLowerCase()];
  return { kind: kind as IdxName["kind"], set };
}

/** Whether a set is a test set. */
export const isTestSet = (set: string) => /t10k|test/.test(set);

/**
 * Find the images and, if there are any, their labels among some files. Of several sets take the training set; of files
 * with equal names take the first.
 */
export function idxPairIn<File extends { readonly name: string }>(
  files: readonly File[],
): { images?: File; labels?: File } {
  const named = files.flatMap((file) => {
    const name = idxNameOf(file.name);
    return name ? [{ file, ...name }] : [];
  });
  const all = named.filter(({ kind }) => kind === "images");
  const images =
    all.find(({ set }) => set.includes("train")) ?? all.find(({ set }) => !isTestSet(set)) ?? all[0];
  const labels = images && named.find(({ kind, set }) => kind === "labels" && set === images.set);
  return { images: images?.file, labels: labels?.file };
}

const digits = "0123456789";
const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/**
 * The lower-case letters that do not look like their capitals (Cohen et al. 2017, https://arxiv.org/abs/1702.05373).
 */
const merged = "abdefghnqrt";

/** Properties of a set that follow from its name. */
export interface KnownSet {
  readonly classNames?: readonly string[];
  /** EMNIST stores its images transposed. */
  readonly isTransposed: boolean;
  /** The number of the first class: EMNIST counts letters from 1. */
  readonly firstLabel: number;
}

/** The properties of the set that a file belongs to, see {@link idxNameOf}. */
export function knownSetOf(name: string): KnownSet {
  const set = idxNameOf(name)?.set ?? "";
  const [, emnist] = /emnist-(balanced|byclass|bymerge|digits|letters|mnist)/.exec(set) ?? [];
  const classNames: Record<string, string> = {
    balanced: digits + capitals + merged,
    bymerge: digits + capitals + merged,
    byclass: digits + capitals + capitals.toLowerCase(),
    digits,
    mnist: digits,
    letters: capitals,
  };
  return {
    isTransposed: set.includes("emnist"),
    firstLabel: emnist === "letters" ? 1 : 0,
    ...(emnist && { classNames: [...classNames[emnist]] }),
  };
}
