/** Parse a JSON text. Returns undefined when it is missing or invalid. */
export function jsonIn(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
