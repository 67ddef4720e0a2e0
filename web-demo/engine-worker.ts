import loader from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { Generator } from "../src/export/description.js";
import { drawLatents } from "../src/training/latents.js";
import { randomStream } from "../src/training/random.js";
import type { Tensors } from "../src/training/safetensors.js";
import { principalDirections } from "./directions.js";

/** What the page asks of the worker; each request is answered once, in order. */
export type Request =
  | { readonly kind: "open"; readonly bytes: Uint8Array; readonly generator: Generator }
  | { readonly kind: "close"; readonly model: number }
  | { readonly kind: "run"; readonly model: number; readonly feeds: Tensors }
  | { readonly kind: "directions"; readonly model: number; readonly count: number };

export type Reply =
  | { readonly result: number | Float32Array | Float32Array[] | undefined }
  | { readonly error: string };

// Addresses made absolute here: the loader resolves them against its own.
env.wasm.wasmPaths = {
  mjs: new URL(loader, import.meta.url).href,
  wasm: new URL(wasm, import.meta.url).href,
};
// Threads share memory, which browsers allow on isolated pages only.
env.wasm.numThreads = crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;

interface Model {
  readonly session: InferenceSession;
  readonly generator: Generator;
}

/** Models by the number that the page knows them by: one may be opened while another still draws. */
const models = new Map<number, Model>();
let opened = 0;

function modelAt(number: number): Model {
  const model = models.get(number);
  if (model) return model;
  throw new Error(`model ${number} is not open`);
}

async function run({ session, generator }: Model, feeds: Tensors): Promise<Float32Array> {
  const inputs = Object.entries(feeds).map(([name, { dtype, data, shape }]) => {
    const tensor = dtype === "int64" ? new Tensor("int64", data as BigInt64Array, shape) : undefined;
    return [name, tensor ?? new Tensor("float32", data as Float32Array, shape)] as const;
  });
  const { image } = await session.run(Object.fromEntries(inputs));
  const { channels, height, width } = generator.image;
  const expected = [feeds.z.shape[0], channels, height, width];
  if (String(image.dims) !== String(expected)) {
    throw new Error(`an image has shape [${image.dims}], but the file says [${expected}]`);
  }
  return image.data as Float32Array;
}

/** Open a model and try it; one that cannot be run is not opened. */
async function open(bytes: Uint8Array, generator: Generator): Promise<number> {
  const model = {
    session: await InferenceSession.create(bytes, { executionProviders: ["wasm"] }),
    generator,
  };
  try {
    await run(model, drawLatents(randomStream(0, "trial"), 2, generator));
  } catch (error) {
    await model.session.release();
    throw error;
  }
  opened += 1;
  models.set(opened, model);
  return opened;
}

async function close(number: number): Promise<undefined> {
  const { session } = modelAt(number);
  models.delete(number);
  await session.release();
}

async function directions(model: Model, count: number): Promise<Float32Array[]> {
  const { channels, height, width } = model.generator.image;
  const pixels = channels * height * width;
  // Enough to tell directions from chance, in some megabytes.
  const samples = Math.min(1024, Math.max(128, Math.floor(1e6 / pixels)));
  const feeds = drawLatents(randomStream(0, "directions"), samples, model.generator);
  const images = await run(model, feeds);
  const labels = feeds.label?.data as BigInt64Array | undefined;
  const latents = feeds.z.data as Float32Array;
  return principalDirections({ count: samples, latents, images, labels }, count);
}

function resultOf(request: Request) {
  switch (request.kind) {
    case "open":
      return open(request.bytes, request.generator);
    case "close":
      return close(request.model);
    case "run":
      return run(modelAt(request.model), request.feeds);
    case "directions":
      return directions(modelAt(request.model), request.count);
  }
}

async function answer(request: Request): Promise<Reply> {
  try {
    return { result: await resultOf(request) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

let queue = Promise.resolve();
addEventListener("message", ({ data }: MessageEvent<Request>) => {
  queue = queue.then(async () => postMessage(await answer(data)));
});
