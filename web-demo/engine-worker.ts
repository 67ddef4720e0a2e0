import loader from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { Generator } from "../src/export/description.js";
import { drawLatents } from "../src/training/latents.js";
import { randomStream } from "../src/training/random.js";
import type { Tensors } from "../src/training/session-worker.js";
import { principalDirections } from "./directions.js";

/** What the page asks of the worker; each request is answered once, in order. */
export type Request =
  | { readonly kind: "open"; readonly model: Uint8Array; readonly generator: Generator }
  | { readonly kind: "run"; readonly feeds: Tensors }
  | { readonly kind: "directions"; readonly count: number };

export type Reply =
  | { readonly result: Float32Array | Float32Array[] | undefined }
  | { readonly error: string };

// Addresses made absolute here: the loader resolves them against its own.
env.wasm.wasmPaths = {
  mjs: new URL(loader, import.meta.url).href,
  wasm: new URL(wasm, import.meta.url).href,
};
// Threads share memory, which browsers allow on isolated pages only.
env.wasm.numThreads = crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;

let current: { readonly session: InferenceSession; readonly generator: Generator } | undefined;

async function run(feeds: Tensors, at = current): Promise<Float32Array> {
  if (!at) throw new Error("no model is open");
  const inputs = Object.entries(feeds).map(([name, { dtype, data, shape }]) => {
    const tensor = dtype === "int64" ? new Tensor("int64", data as BigInt64Array, shape) : undefined;
    return [name, tensor ?? new Tensor("float32", data as Float32Array, shape)] as const;
  });
  const { image } = await at.session.run(Object.fromEntries(inputs));
  const { channels, height, width } = at.generator.image;
  const expected = [feeds.z.shape[0], channels, height, width];
  if (String(image.dims) !== String(expected)) {
    throw new Error(`an image has shape [${image.dims}], but the file says [${expected}]`);
  }
  return image.data as Float32Array;
}

/** Open a model and try it; only then does it take the place of the one before. */
async function open(model: Uint8Array, generator: Generator): Promise<void> {
  const session = await InferenceSession.create(model, { executionProviders: ["wasm"] });
  try {
    await run(drawLatents(randomStream(0, "trial"), 2, generator), { session, generator });
  } catch (error) {
    await session.release();
    throw error;
  }
  await current?.session.release();
  current = { session, generator };
}

async function directions(count: number): Promise<Float32Array[]> {
  if (!current) throw new Error("no model is open");
  const { channels, height, width } = current.generator.image;
  const pixels = channels * height * width;
  // Enough to tell directions from chance, in some megabytes.
  const samples = Math.min(1024, Math.max(128, Math.floor(1e6 / pixels)));
  const feeds = drawLatents(randomStream(0, "directions"), samples, current.generator);
  const images = await run(feeds);
  const labels = feeds.label?.data as BigInt64Array | undefined;
  const latents = feeds.z.data as Float32Array;
  return principalDirections({ count: samples, latents, images, labels }, count);
}

async function answer(request: Request): Promise<Reply> {
  try {
    switch (request.kind) {
      case "open":
        return { result: void (await open(request.model, request.generator)) };
      case "run":
        return { result: await run(request.feeds) };
      case "directions":
        return { result: await directions(request.count) };
    }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

let queue = Promise.resolve();
addEventListener("message", ({ data }: MessageEvent<Request>) => {
  queue = queue.then(async () => postMessage(await answer(data)));
});
