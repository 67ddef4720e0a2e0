import webgpuLoader from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url";
import { address as webgpuBinary } from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?gzip";
import wasmLoader from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasmBinary from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import type * as Ort from "onnxruntime-web/wasm";
import { queue, StatefulSession } from "../src/runtime/engine.js";
import { type PageProvider, threadCount } from "./page-provider.js";

const runtimes: Partial<Record<PageProvider, Promise<typeof Ort>>> = {};

/** The runtime for the GPU is left half-way while it waits for it, and must not be entered again then. */
const inTurn = queue();

/**
 * Load a model in this worker.
 *
 * @throws Error when the browser lacks the provider, or the provider refuses the model.
 */
export async function openOn(provider: PageProvider, model: Uint8Array): Promise<StatefulSession> {
  runtimes[provider] ??= load(provider);
  const { InferenceSession, Tensor } = await runtimes[provider];
  const options = { executionProviders: [provider], logSeverityLevel: 3 } as const;
  const session = await inTurn(() => InferenceSession.create(model, options));
  return new StatefulSession(
    {
      outputNames: session.outputNames,
      run: (feeds) => inTurn(() => session.run(feeds)),
      release: () => inTurn(() => session.release()),
    },
    Tensor,
  );
}

/** ONNX Runtime as small as the provider allows: the GPU's is nearly twice the CPU's. */
async function load(provider: PageProvider): Promise<typeof Ort> {
  // Addresses made absolute here: the loader resolves them against its own.
  const here = (address: string) => new URL(address, import.meta.url).href;
  if (provider === "webgpu") {
    const ort = await import("onnxruntime-web/webgpu");
    ort.env.wasm.wasmPaths = { mjs: here(webgpuLoader) };
    ort.env.wasm.wasmBinary = await unzipped(here(webgpuBinary));
    ort.env.wasm.numThreads = threadCount();
    return ort;
  }
  const ort = await import("onnxruntime-web/wasm");
  ort.env.wasm.wasmPaths = { mjs: here(wasmLoader), wasm: here(wasmBinary) };
  ort.env.wasm.numThreads = threadCount();
  return ort;
}

async function unzipped(address: string): Promise<ArrayBuffer> {
  const { body, ok, status } = await fetch(address);
  if (!ok || !body) throw new Error(`${address}: the server answers ${status}`);
  return new Response(body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
