import type { InferenceSession } from "onnxruntime-node";

/**
 * The provider `webgpu` in the options of a model's session. A node that ONNX Runtime's provider claims and cannot run
 * (1.30) stays on the CPU: `MaxPool` with its output of positions, which its gradient needs.
 * https://onnx.ai/onnx/operators/onnx__MaxPool.html
 */
export async function webgpuFor(
  model: Uint8Array,
): Promise<"webgpu" | InferenceSession.WebGpuExecutionProviderOption> {
  const { listNodes } = await import("../onnx/index.js");
  const names = listNodes(model).flatMap(({ operator, name, outputs }) =>
    operator === "MaxPool" && outputs > 1 ? [name] : [],
  );
  return names.length === 0 ? "webgpu" : { name: "webgpu", forceCpuNodeNames: names };
}
