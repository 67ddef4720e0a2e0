import webgpuLoader from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url";
import {
  address as webgpuBinary,
  size as webgpuSize,
} from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?gzip";
import wasmLoader from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import { address as wasmBinary, size as wasmSize } from "onnxruntime-web/ort-wasm-simd-threaded.wasm?gzip";
import type * as Ort from "onnxruntime-web/wasm";
import { queue, StatefulSession } from "../../src/runtime/engine.js";
import { type PageProvider, threadCount } from "./page-provider.js";

/** The GPU is gone, with all that was on it. */
export class DeviceLost extends Error {}

/** Hears how much of a runtime has been downloaded, as a share of all of it. */
export type Downloaded = (share: number) => void;

interface Runtime {
  readonly ort: typeof Ort;
  /** Rejected when the GPU is lost, never resolved. */
  lost?: Promise<never>;
}

const runtimes: Partial<Record<PageProvider, Promise<Runtime>>> = {};

/** The runtime for the GPU is left half-way while it waits for it, and must not be entered again then. */
const inTurn = queue();

/** Load ONNX Runtime for a provider, as small as the provider allows: the GPU's is nearly twice the CPU's. */
export function loadRuntime(provider: PageProvider, downloaded: Downloaded = () => {}): Promise<Runtime> {
  runtimes[provider] ??= load(provider, downloaded).catch((error) => {
    // The next attempt may find the network again.
    delete runtimes[provider];
    throw error;
  });
  return runtimes[provider];
}

/**
 * Load a model in this worker.
 *
 * @throws Error when the browser lacks the provider, or the provider refuses the model. A run throws DeviceLost when
 *   the GPU is lost.
 */
export async function openOn(provider: PageProvider, model: Uint8Array): Promise<StatefulSession> {
  const runtime = await loadRuntime(provider);
  const { InferenceSession, Tensor } = runtime.ort;
  const options = { executionProviders: [provider], logSeverityLevel: 3 } as const;
  /** A lost GPU may leave a call without an end. */
  const onDevice = <T>(call: () => Promise<T>) =>
    inTurn(() => (runtime.lost ? Promise.race([call(), runtime.lost]) : call()));
  const session = await onDevice(() => InferenceSession.create(model, options));
  if (provider === "webgpu") runtime.lost ??= deviceLost(runtime.ort);
  return new StatefulSession(
    {
      outputNames: session.outputNames,
      run: (feeds) => onDevice(() => session.run(feeds)),
      release: () => onDevice(() => session.release()),
    },
    Tensor,
  );
}

/** Waits until the GPU is lost that the first session was made on. */
function deviceLost(ort: typeof Ort): Promise<never> {
  const lost = (async (): Promise<never> => {
    const { message } = await (await ort.env.webgpu.device).lost;
    throw new DeviceLost(message || "the GPU was lost");
  })();
  // Whoever waits for a run will hear of it.
  lost.catch(() => {});
  return lost;
}

async function load(provider: PageProvider, downloaded: Downloaded): Promise<Runtime> {
  // Addresses made absolute here: the loader resolves them against its own.
  const here = (address: string) => new URL(address, import.meta.url).href;
  const [binary, size, loader] =
    provider === "webgpu" ? [webgpuBinary, webgpuSize, webgpuLoader] : [wasmBinary, wasmSize, wasmLoader];
  const [ort, wasm] = await Promise.all([
    provider === "webgpu" ? import("onnxruntime-web/webgpu") : import("onnxruntime-web/wasm"),
    unzipped(here(binary), (bytes) => downloaded(bytes / size)),
  ]);
  ort.env.wasm.wasmPaths = { mjs: here(loader) };
  ort.env.wasm.wasmBinary = wasm;
  ort.env.wasm.numThreads = threadCount();
  return { ort };
}

async function unzipped(address: string, count: (bytes: number) => void): Promise<ArrayBuffer> {
  const { body, ok, status } = await fetch(address);
  if (!ok || !body) throw new Error(`${address}: the server answers ${status}`);
  let bytes = 0;
  const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      bytes += chunk.length;
      count(bytes);
      controller.enqueue(chunk);
    },
  });
  const plain = body.pipeThrough(counted).pipeThrough(new DecompressionStream("gzip"));
  return new Response(plain).arrayBuffer();
}
