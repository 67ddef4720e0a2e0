import { GanOnnxError } from "../error.js";
import { type ModelSummary, summarizeModel } from "../onnx/index.js";
import { type GeneratorFile, readGenerator, requireDrawable } from "./description.js";
import { describeForeign } from "./foreign.js";

/**
 * Describe a generator from any program, by its metadata or its shapes.
 *
 * @throws {@link GanOnnxError} when the file is not a generator.
 */
export function describeAny(bytes: Uint8Array, where: string): GeneratorFile {
  let summary: ModelSummary;
  try {
    summary = summarizeModel(bytes);
  } catch (cause) {
    const fix = "open a generator in ONNX form (.onnx)";
    throw new GanOnnxError({ what: "is no model in ONNX form, or is damaged", where, fix, cause });
  }
  if (summary.metadata.format?.startsWith("gan-onnx")) return readGenerator(bytes, where);
  const generator = describeForeign(summary, where);
  requireDrawable(generator, where);
  return generator;
}
