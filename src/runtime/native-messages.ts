import { messageOf } from "../error.js";

/**
 * The message of a native library's error on one line, without C++ details: failed conditions, function signatures,
 * files and lines.
 */
export function nativeMessage(thrown: unknown): string {
  return messageOf(thrown)
    .replace(/^\/.* was false\. /, "")
    .replace(/\/\S*onnxruntime\/core\/.*\b(?=[A-Z]+ failure -?\d+: )/, "")
    .replace(/ ; GPU=-?\d+ ; hostname=.*$/, "");
}
