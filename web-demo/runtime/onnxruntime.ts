import webgpuLoader from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url";
import {
  address as webgpuBinary,
  size as webgpuSize,
} from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?gzip";
import wasmLoader from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import { address as wasmBinary, size as wasmSize } from "onnxruntime-web/ort-wasm-simd-threaded.wasm?gzip";
import type * as Ort from "onnxruntime-web/wasm";
import { queue, StatefulSession } from "../../src/runtime/engine.js";
import { webgpuFor } from "../../src/runtime/webgpu-nodes.js";
import { fetchedFile, notTheFile } from "./fetched-file.js";
import { completeAdapters, type PageProvider, threadCount } from "./page-provider.js";

/** The GPU was lost, with all its data. */
export class DeviceLost extends Error {}

interface Loading {
  /** Hears how much of a runtime has been downloaded, as a share of all of it. */
  downloaded?(share: number): void;
  /** Threads on the CPU. */
  readonly threads?: number | Promise<number>;
}

interface Runtime {
  readonly ort: typeof Ort;
  /** Rejects when the GPU is lost. Never resolves. */
  lost?: Promise<never>;
}

const runtimes: Partial<Record<PageProvider, Promise<Runtime>>> = {};

/** The runtime for the GPU suspends while it waits for the GPU, and must not be entered again meanwhile. */
const inTurn = queue();

/** Load ONNX Runtime for a provider, as small as the provider allows: the GPU's is nearly twice the CPU's. */
export function loadRuntime(provider: PageProvider, how: Loading = {}): Promise<Runtime> {
  runtimes[provider] ??= load(provider, how).catch((error) => {
    // The next attempt may find the network again.
    delete runtimes[provider];
    throw error;
  });
  return runtimes[provider];
}

/**
 * Load a model in this worker.
 *
 * @param state names of its outputs `next/…`, if it trains.
 * @throws Error when the browser lacks the provider, or the provider refuses the model. A run throws DeviceLost when
 *   the GPU is lost.
 */
export async function openOn(
  provider: PageProvider,
  model: Uint8Array,
  state: readonly string[] = [],
): Promise<StatefulSession> {
  const runtime = await loadRuntime(provider);
  const { InferenceSession, Tensor } = runtime.ort;
  const options = {
    executionProviders: [provider === "webgpu" ? await webgpuFor(model) : provider],
    logSeverityLevel: 3,
    // What a call leaves for the next one stays on the GPU.
    ...(provider === "webgpu" && {
      preferredOutputLocation: Object.fromEntries(state.map((name) => [name, "gpu-buffer" as const])),
    }),
  } as const;
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

/** Waits until the GPU of the first session is lost. */
function deviceLost(ort: typeof Ort): Promise<never> {
  const lost = (async (): Promise<never> => {
    const { message } = await (await ort.env.webgpu.device).lost;
    throw new DeviceLost(message || "the GPU was lost");
  })();
  // The code that awaits a call gets the error.
  lost.catch(() => {});
  return lost;
}

async function load(
  provider: PageProvider,
  { downloaded, threads = threadCount() }: Loading,
): Promise<Runtime> {
  // Addresses made absolute here: the loader resolves them against its own.
  const here = (address: string) => new URL(address, import.meta.url).href;
  const [binary, size, loader] =
    provider === "webgpu" ? [webgpuBinary, webgpuSize, webgpuLoader] : [wasmBinary, wasmSize, wasmLoader];
  const [numThreads, ort, wasm] = await Promise.all([
    threads,
    provider === "webgpu" ? import("onnxruntime-web/webgpu") : import("onnxruntime-web/wasm"),
    unzipped(here(binary), (bytes) => downloaded?.(bytes / size)),
  ]);
  completeAdapters();
  ort.env.wasm.wasmPaths = { mjs: here(loader) };
  ort.env.wasm.wasmBinary = wasm;
  ort.env.wasm.numThreads = numThreads;
  return { ort };
}

async function unzipped(address: string, count: (bytes: number) => void): Promise<ArrayBuffer> {
  const { body } = await fetchedFile(address);
  if (!body) throw notTheFile(address);
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
