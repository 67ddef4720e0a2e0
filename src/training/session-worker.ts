/**
 * The thread that owns an ONNX Runtime session. `session.run` blocks the thread that calls it, so it has one to
 * itself. The state of a training stays here between runs: it is replaced by each run's `next/…` outputs and crosses
 * the thread boundary only when asked for.
 */
import { parentPort } from "node:worker_threads";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Tensor } from "./safetensors.js";

export type Tensors = Readonly<Record<string, Tensor>>;

export type Request =
  | { readonly kind: "open"; readonly model: Uint8Array; readonly options: InferenceSession.SessionOptions }
  | { readonly kind: "run"; readonly feeds: Tensors }
  | { readonly kind: "setState"; readonly state: Tensors }
  | { readonly kind: "getState" };

export type Reply = { readonly outputs: Tensors } | { readonly error: string };

const next = "next/";
let session: InferenceSession | undefined;
let state: Record<string, OrtTensor> = {};

function toOrt({ dtype, shape, data }: Tensor): OrtTensor {
  return new OrtTensor(dtype as "float32", data as Float32Array, shape);
}

function fromOrt({ type, dims, data }: OrtTensor): Tensor {
  return { dtype: type, shape: dims, data } as Tensor;
}

function mapTensors<A, B>(tensors: Readonly<Record<string, A>>, map: (tensor: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, map(tensor)]));
}

async function run(feeds: Tensors): Promise<Tensors> {
  if (!session) throw new Error("no session is open");
  const results = await session.run({ ...mapTensors(feeds, toOrt), ...state });
  const outputs: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(results)) {
    if (name.startsWith(next)) state[name.slice(next.length)] = tensor as OrtTensor;
    else outputs[name] = fromOrt(tensor as OrtTensor);
  }
  return outputs;
}

async function answer(request: Request): Promise<Tensors> {
  switch (request.kind) {
    case "open":
      session = await InferenceSession.create(request.model, request.options);
      return {};
    case "run":
      return run(request.feeds);
    case "setState":
      state = mapTensors(request.state, toOrt);
      return {};
    case "getState":
      return mapTensors(state, fromOrt);
  }
}

async function replyTo(request: Request): Promise<void> {
  let reply: Reply;
  try {
    reply = { outputs: await answer(request) };
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(reply);
}

/** One request after the other: a run must see the state that the one before leaves. */
let done = Promise.resolve();
parentPort?.on("message", (request: Request) => {
  done = done.then(() => replyTo(request));
});
