import type { GeneratorFile } from "../../src/export/description.js";

/** What the page calls a generator and what it draws. */
export interface Words {
  readonly title: string;
  readonly lead: string;
  /** One picture, and more of them. */
  readonly one: string;
  readonly many: string;
  /** What a class is called, and each of them. */
  readonly kind: string;
  readonly names: readonly string[];
  /** Classes that can be typed one after the other: digits. */
  readonly typed: boolean;
}

/** Data sets of handwritten digits. */
const DIGITS = ["mnist", "drawn"];

/** Names for people, from what a generator's file says of itself. */
export function wordsOf({
  classes,
  classNames,
  metadata,
}: Pick<GeneratorFile, "classes" | "classNames" | "metadata">): Words {
  const named = classNames?.length === classes ? classNames : undefined;
  const names = named ?? Array.from({ length: classes ?? 0 }, (_, i) => String(i));
  // A folder of data may be named in full; its last part tells as much.
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
