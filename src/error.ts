/** What a {@link GanOnnxError} must say, so that a reader can act on it without a stack trace. */
export interface ErrorParts {
  /** What was wrong, e.g. `"image count 59999 differs from label count 60000"`. */
  readonly what: string;
  /** The file, field, flag or operator in which it was found. */
  readonly where: string;
  /** What the reader can do about it, as an instruction. */
  readonly fix: string;
  /** `usage` for wrong flags and configuration (exit 2), `failure` for everything else (exit 1). */
  readonly kind?: "usage" | "failure";
  readonly cause?: unknown;
}

/** The one error of this program. Its message is a single line: `where: what; fix`. */
export class GanOnnxError extends Error {
  readonly kind: "usage" | "failure";
  /** What the message was made of. */
  readonly parts: ErrorParts;

  constructor(parts: ErrorParts) {
    const { what, where, fix, kind = "failure", cause } = parts;
    super(`${where}: ${what}; ${fix}`, cause === undefined ? undefined : { cause });
    this.name = "GanOnnxError";
    this.kind = kind;
    this.parts = parts;
  }
}

/** The message of anything that was thrown, on one line. */
export function messageOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.split("\n", 1)[0];
}
