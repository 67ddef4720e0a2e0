/**
 * The thread that owns an ONNX Runtime session. `session.run` blocks the calling thread, so it needs its own. The state
 * of a training stays in this thread between calls and is sent only on request.
 */
import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Tensor, Tensors } from "../tensors/tensor.js";
import { queue, StatefulSession } from "./engine.js";
import { collectGarbage } from "./garbage.node.js";
import { buffersOf } from "./thread.node.js";

export type Request =
  | { readonly kind: "open"; readonly model: Uint8Array; readonly options: InferenceSession.SessionOptions }
  | { readonly kind: "run"; readonly feeds: Tensors }
  | { readonly kind: "setState"; readonly state: Tensors }
  | { readonly kind: "getState" }
  | { readonly kind: "close" };

export type Reply = { readonly outputs: Tensors } | { readonly error: string };

/** Tensors of which some are copied. */
function copied(tensors: Tensors, which: (tensor: Tensor) => boolean): Tensors {
  return new Map(
    Array.from(tensors, ([name, tensor]) => [
      name,
      which(tensor) ? ({ ...tensor, data: tensor.data.slice() } as Tensor) : tensor,
    ]),
  );
}

/** ONNX Runtime refuses shared memory on Node 20. */
const isShared = ({ data }: Tensor) => data.buffer instanceof SharedArrayBuffer;

const nothing: Tensors = new Map();
const closing: Int32Array = workerData;
let session: StatefulSession | undefined;
/** The bytes of feeds that a thread without a state may have as garbage: it has little else, so V8 hardly ever collects. */
const MANY = 2 ** 22;
let trains = false;
let fed = 0;

function opened(): StatefulSession {
  if (session) return session;
  throw new Error("no session is open");
}

async function answer(request: Request): Promise<Tensors> {
  switch (request.kind) {
    case "open":
      session = new StatefulSession(await InferenceSession.create(request.model, request.options), OrtTensor);
      return nothing;
    case "run":
      if (Atomics.load(closing, 0) === 1) throw new Error("the session is closed");
      return opened().run(copied(request.feeds, isShared));
    case "setState":
      trains = true;
      await opened().setState(request.state);
      return nothing;
    case "getState":
      // This thread keeps using the state.
      return copied(await opened().getState(), () => true);
    case "close":
      await session?.close();
      session = undefined;
      return nothing;
  }
}

async function replyTo(request: Request): Promise<void> {
  let reply: Reply;
  try {
    reply = { outputs: await answer(request) };
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(reply, buffersOf("outputs" in reply ? reply.outputs : nothing));
  if (request.kind === "run" && !trains) fed += bytesIn(request.feeds);
  if (request.kind !== "getState" && fed < MANY) return;
  collectGarbage();
  fed = 0;
}

const bytesIn = (tensors: Tensors) =>
  Array.from(tensors.values()).reduce((sum, { data }) => sum + data.byteLength, 0);

/** Answer in the order of the requests: the other thread matches answers to requests by their order. */
const inTurn = queue();
parentPort?.on("message", (request: Request) => inTurn(() => replyTo(request)));
// A request whose buffers were transferred before cannot be deserialized.
parentPort?.on("messageerror", ({ message }) => inTurn(() => parentPort?.postMessage({ error: message })));
