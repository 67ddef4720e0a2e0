import type { GeneratorFile } from "../../src/export/description.js";

/** The page's names for a generator and its pictures. */
export interface Words {
  readonly title: string;
  readonly lead: string;
  /** Singular and plural of a picture. */
  readonly one: string;
  readonly many: string;
  /** The word for a class, and the name of each class. */
  readonly kind: string;
  readonly names: readonly string[];
  /** Whether classes can be typed: digits. */
  readonly typed: boolean;
}

/** Data sets of handwritten digits. */
const DIGITS = ["mnist", "drawn"];

/** Find the names from the metadata of a generator. */
export function wordsOf({
  classes,
  classNames,
  metadata,
}: Pick<GeneratorFile, "classes" | "classNames" | "metadata">): Words {
  const named = classNames?.length === classes ? classNames : undefined;
  const names = named ?? Array.from({ length: classes ?? 0 }, (_, i) => String(i));
  // Use only the last part of a folder's path.
  const source = (metadata.data ?? "").split(/[/\\]/).findLast((part) => part !== "") ?? "";
  const digits = DIGITS.includes(source) || /^(train-)?images-idx3-ubyte/.test(source);
  const ten = classes === 10 && names.every((name, i) => name === String(i));
  if (digits && (!named || ten)) {
    return {
      title: "Digits that nobody wrote",
      lead: "A small neural network draws each of them from random numbers, here in your browser.",
      one: "digit",
      many: "digits",
      kind: "Digit",
      names,
      typed: ten,
    };
  }
  return {
    title: source ? `Pictures after ${source}` : "Pictures that nobody drew",
    lead: `A small neural network draws each of them from random numbers, here in your browser.${
      source ? ` It has learned from ${source}.` : ""
    }`,
    one: "picture",
    many: "pictures",
    kind: "Class",
    names,
    typed: false,
  };
}

/** `1 digit`, `64 digits`. */
export function counted(count: number, { one, many }: Pick<Words, "one" | "many">): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The name of a cell within a sentence: `6, 73 of 120` is `6 (73 of 120)` there. */
export function bracketed(name = ""): string {
  return name.replace(/, (.*)$/, " ($1)");
}
