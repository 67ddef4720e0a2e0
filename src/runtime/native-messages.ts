import { messageOf } from "../error.js";

/**
 * What a native library's error says, on one line and without the C++ around it: conditions that were false, signatures
 * of functions, files and lines.
 */
export function nativeMessage(thrown: unknown): string {
  return messageOf(thrown)
    .replace(/^\/.* was false\. /, "")
    .replace(/\/\S*onnxruntime\/core\/.*\b(?=[A-Z]+ failure -?\d+: )/, "")
    .replace(/ ; GPU=-?\d+ ; hostname=.*$/, "");
}
