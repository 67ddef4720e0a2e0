/** Keep numbers distinct that JSON writes alike: 0 and -0, infinities and NaN. */
export function exact(part: unknown): unknown {
  return typeof part === "number" && (!Number.isFinite(part) || Object.is(part, -0))
    ? `number ${Object.is(part, -0) ? "-0" : part}`
    : part;
}

/** A number in its short form: 0.2 instead of 0.20000000298023224, the float32 value. */
export function shortNumber(value: number | bigint): string {
  return typeof value === "bigint" ? String(value) : String(Number(value.toPrecision(7)));
}
