/**
 * The thread that owns an ONNX Runtime session. `session.run` blocks the calling thread, so it needs its own. The state
 * of a training stays in this thread between calls and is sent only on request.
 */
import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Tensor, Tensors } from "../tensors/tensor.js";
import { queue, StatefulSession } from "./engine.js";
import { buffersOf } from "./thread.node.js";

export type Request =
  | { readonly kind: "open"; readonly model: Uint8Array; readonly options: InferenceSession.SessionOptions }
  | { readonly kind: "run"; readonly feeds: Tensors }
  | { readonly kind: "setState"; readonly state: Tensors }
  | { readonly kind: "getState" }
  | { readonly kind: "close" };

export type Reply = { readonly outputs: Tensors } | { readonly error: string };

/** Copies of tensors that lie in shared memory: ONNX Runtime refuses it on Node 20. */
function unshared(tensors: Tensors): Tensors {
  return new Map(
    Array.from(tensors, ([name, tensor]) =>
      tensor.data.buffer instanceof SharedArrayBuffer
        ? [name, { ...tensor, data: tensor.data.slice() } as Tensor]
        : [name, tensor],
    ),
  );
}

const nothing: Tensors = new Map();
const closing: Int32Array = workerData;
let session: StatefulSession | undefined;

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
      return opened().run(unshared(request.feeds));
    case "setState":
      await opened().setState(request.state);
      return nothing;
    case "getState":
      return opened().getState();
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
  // Transfer the outputs of a call. The state is copied, because this thread keeps using it.
  const transferred = request.kind === "run" && "outputs" in reply ? reply.outputs : nothing;
  parentPort?.postMessage(reply, buffersOf(transferred));
}

/** Answer in the order of the requests: the other thread matches answers to requests by their order. */
const inTurn = queue();
parentPort?.on("message", (request: Request) => inTurn(() => replyTo(request)));
// A request whose buffers were transferred before cannot be deserialized.
parentPort?.on("messageerror", ({ message }) => inTurn(() => parentPort?.postMessage({ error: message })));
