// The page reads files that are dropped on it by the same rule: nothing here needs Node.

/** What the name of an IDX file tells. */
export interface IdxName {
  readonly kind: "images" | "labels";
  /** What stands before it in lower case, `train` or `emnist-letters-train`: images and labels of a set share it. */
  readonly set: string;
}

/**
 * What the name of a file of MNIST or of one of its kind tells: `train-images-idx3-ubyte`, also with `.gz`, in capitals,
 * with a dot before `idx` (as Kaggle has it), with `emnist-letters-` in front, or ` (1)` where a browser has numbered it.
 * Undefined for any other name.
 */
export function idxNameOf(name: string): IdxName | undefined {
  const match = /^(.*?)[-_.]?(images|labels)[-_.]?idx[13][-_.]ubyte( ?\(\d+\))?(\.gz)?( ?\(\d+\))?$/i.exec(
    name,
  );
  if (!match) return undefined;
  const [set, kind] = [match[1].toLowerCase(), match[2].toLowerCase()];
  return { kind: kind as IdxName["kind"], set };
}

/** Whether a set is one to test with. */
export const isTestSet = (set: string) => /t10k|test/.test(set);

/**
 * The images and, if there are any, their labels among some files; of several sets the one to train with. Of two files
 * that are the same by their names the first is taken.
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
/** The small letters that do not look like their capitals (Cohen et al. 2017, https://arxiv.org/abs/1702.05373). */
const merged = "abdefghnqrt";

/** What is known of a set by its name, beside its files. */
export interface KnownSet {
  readonly classNames?: readonly string[];
  /** EMNIST keeps its images with rows and columns exchanged. */
  readonly isTransposed: boolean;
  /** The number of the first class: EMNIST counts letters from 1. */
  readonly firstLabel: number;
}

/** What is known of the set that a file belongs to; see {@link idxNameOf}. */
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
