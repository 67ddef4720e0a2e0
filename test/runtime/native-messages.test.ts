import { expect, test } from "vitest";
import { nativeMessage } from "../../src/runtime/native-messages.js";

const call =
  "/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 std::conditional_t<THRW, void, Status> " +
  "onnxruntime::CudaCall(ERRTYPE, const char*) [with ERRTYPE = cudaError; bool THRW = true] ";
const place =
  " ; GPU=-1 ; hostname=vm ; file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; " +
  "line=352 ; expr=cudaSetDevice(info_.device_id);";

test.each([
  [
    `${call}${call}CUDA failure 101: invalid device ordinal${place}`,
    "CUDA failure 101: invalid device ordinal",
  ],
  [
    `Non-zero status code returned while running Gemm node. Name:'Gemm' Status Message: ${call}CUDA failure 2: out of memory${place}`,
    "Non-zero status code returned while running Gemm node. Name:'Gemm' Status Message: CUDA failure 2: out of memory",
  ],
  [
    `${call}CUDNN failure 5003: CUDNN_STATUS_EXECUTION_FAILED${place}`,
    "CUDNN failure 5003: CUDNN_STATUS_EXECUTION_FAILED",
  ],
  [
    "/src/webgpu_context.cc:77 adapter != nullptr was false. Failed to get a WebGPU adapter.",
    "Failed to get a WebGPU adapter.",
  ],
  ["Load model failed:Protobuf parsing failed.\nmore", "Load model failed:Protobuf parsing failed."],
])("%j is said without its C++", (thrown, said) => {
  expect(nativeMessage(new Error(thrown))).toBe(said);
});
