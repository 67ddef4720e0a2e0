import { GanOnnxError } from "../error.js";
import { type ModelSummary, summarizeModel } from "../onnx/index.js";
import { type GeneratorFile, readGenerator } from "./description.js";
import { describeForeign } from "./foreign.js";

/**
 * What must be known to draw with a generator from any program: what its metadata say, or its shapes tell.
 *
 * @throws GanOnnxError when the file is no generator.
 */
export function describeAny(bytes: Uint8Array, where: string): GeneratorFile {
  let summary: ModelSummary;
  try {
    summary = summarizeModel(bytes);
  } catch (cause) {
    const fix = "open a generator in ONNX form (.onnx)";
    throw new GanOnnxError({ what: "is no model in ONNX form, or is damaged", where, fix, cause });
  }
  return summary.metadata.format?.startsWith("gan-onnx")
    ? readGenerator(bytes, where)
    : describeForeign(summary, where);
}
