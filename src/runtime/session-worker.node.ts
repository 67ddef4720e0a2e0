/**
 * The thread that owns an ONNX Runtime session. `session.run` blocks the thread that calls it, so it has one to
 * itself. The state of a training stays here between calls, and crosses the thread boundary only when asked for.
 */
import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Tensors } from "../tensors/tensor.js";
import { queue, StatefulSession } from "./engine.js";
import { buffersOf } from "./thread.node.js";

export type Request =
  | { readonly kind: "open"; readonly model: Uint8Array; readonly options: InferenceSession.SessionOptions }
  | { readonly kind: "run"; readonly feeds: Tensors }
  | { readonly kind: "setState"; readonly state: Tensors }
  | { readonly kind: "getState" }
  | { readonly kind: "close" };

export type Reply = { readonly outputs: Tensors } | { readonly error: string };

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
      session = new StatefulSession(await InferenceSession.create(request.model, request.options), Tensor);
      return nothing;
    case "run":
      if (Atomics.load(closing, 0) === 1) throw new Error("the session is closed");
      return opened().run(request.feeds);
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
  // What a call returns is nobody else's and goes over; a state stays here, too, and is copied.
  const own = request.kind === "run" && "outputs" in reply ? reply.outputs : nothing;
  parentPort?.postMessage(reply, buffersOf(own));
}

/** Answers go out in the order of the requests: that is how the other side tells whose they are. */
const inTurn = queue();
parentPort?.on("message", (request: Request) => inTurn(() => replyTo(request)));
// What has been sent away before arrives as nothing that can be read.
parentPort?.on("messageerror", ({ message }) => inTurn(() => parentPort?.postMessage({ error: message })));
