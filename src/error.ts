/**
 * A setting in a message, by its key in the configuration. The program that prints the message chooses the name:
 * `learningRate` is `--learning-rate` on the command line and "learning rate" on a page.
 */
export interface Setting {
  readonly setting: string;
  readonly value?: string | number;
}

/** A part of a message: plain text, or text with settings in it, see {@link text}. */
export type Text = string | Setting | readonly (string | Setting)[];

/** The name of a setting for the reader, e.g. `--learning-rate`. */
export type NameSetting = (key: string) => string;

/** A setting in a message, optionally with its value. */
export function setting(key: string, value?: string | number): Setting {
  return { setting: key, value };
}

/** A template with settings in it: `` text`lower ${setting("learningRate")}` ``. */
export function text(strings: TemplateStringsArray, ...values: readonly (number | Text)[]): Text {
  const pieces = values.map((value) => (typeof value === "number" ? [String(value)] : piecesOf(value)));
  return strings.flatMap((string, i) => [string, ...(pieces[i] ?? [])]);
}

/** The parts of a {@link GanOnnxError}. Together they let a reader act without a stack trace. */
export interface ErrorParts {
  /** What was wrong, e.g. `"image count 59999 differs from label count 60000"`. */
  readonly what: Text;
  /** The setting, file, field or operator that is wrong. */
  readonly where: Text;
  /** What the reader can do, as an instruction. */
  readonly fix: Text;
  /** `usage` for wrong flags and configuration (exit 2), `failure` for everything else (exit 1). */
  readonly kind?: "usage" | "failure";
  readonly cause?: unknown;
}

/** The only error class of this program. Its message is a single line: `where: what; fix`. */
export class GanOnnxError extends Error {
  readonly kind: "usage" | "failure";
  /** The parts of the message. */
  readonly parts: ErrorParts;

  constructor(parts: ErrorParts) {
    const { kind = "failure", cause } = parts;
    super(lineOf(parts, inWords), cause === undefined ? undefined : { cause });
    this.name = "GanOnnxError";
    this.kind = kind;
    this.parts = parts;
  }

  /** The key of the wrong setting, if the error is about a setting. */
  get setting(): string | undefined {
    return piecesOf(this.parts.where).find((piece) => typeof piece !== "string")?.setting;
  }

  /** The message with other names for the settings in it. */
  messageWith(name: NameSetting): string {
    return lineOf(this.parts, name);
  }
}

/** Plain words for error codes of the operating system. */
const codes: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is not a folder",
  EEXIST: "it exists already",
  ENOSPC: "no space left on the disk",
  EROFS: "the disk is read-only",
  EMFILE: "too many open files",
  ELOOP: "its links form a circle",
  ENAMETOOLONG: "the name is too long",
  EBUSY: "it is in use",
  EADDRINUSE: "it is in use",
  ENOTFOUND: "no such host",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection lost",
  ETIMEDOUT: "no answer in time",
};

/** The message of anything that was thrown, on one line. Settings are named in words unless `name` is given. */
export function messageOf(thrown: unknown, name: NameSetting = inWords): string {
  const code = thrown instanceof Error && "code" in thrown ? codes[String(thrown.code)] : undefined;
  if (code !== undefined) return code;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return thrown instanceof GanOnnxError ? thrown.messageWith(name) : printable(message.split("\n", 1)[0]);
}

/** Names of settings whose key is not a word. */
const names: Readonly<Record<string, string>> = { ep: "execution provider", init: "initial weights" };

/** `learningRate` as "learning rate". */
function inWords(key: string): string {
  return names[key] ?? key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** A text on one line, with other names for the settings in it unless in words. */
export function textIn(part: Text, name: NameSetting = inWords): string {
  const called = ({ setting, value }: Setting) =>
    value === undefined ? name(setting) : `${name(setting)} ${value}`;
  return printable(
    piecesOf(part)
      .map((piece) => (typeof piece === "string" ? piece : called(piece)))
      .join(""),
  );
}

function piecesOf(text: Text): readonly (string | Setting)[] {
  return typeof text === "string" || "setting" in text ? [text] : text;
}

function lineOf({ what, where, fix }: ErrorParts, name: NameSetting): string {
  return `${textIn(where, name)}: ${textIn(what, name)}; ${textIn(fix, name)}`;
}

/** The maximum length of a part of a message, in characters. */
const LONGEST = 2000;

/**
 * Make text that may come from a file safe for a terminal and a log: escape line breaks, escape sequences and
 * characters that change the text direction, and shorten long text.
 */
function printable(text: string): string {
  const cut =
    text.length > LONGEST
      ? `${text.slice(0, LONGEST - 100)}… (${text.length - LONGEST + 100} characters more)`
      : text;
  return cut.replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/^[^\\]$/u, escaped),
  );
}

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
