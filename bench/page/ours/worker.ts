import type * as Ort from "onnxruntime-web/wasm";
import { messageOf } from "../../../src/error.js";
import { StatefulSession } from "../../../src/runtime/engine.js";
import { decodeSafetensors } from "../../../src/tensors/safetensors.js";
import type { Tensors } from "../../../src/tensors/tensor.js";
import { firstOf } from "../../checked.js";

let session: StatefulSession;
let feeds: Tensors;
let steps: number;

async function open(url: string, backend: "wasm" | "webgpu", threads: number) {
  const ort: typeof Ort = await (backend === "webgpu"
    ? import("onnxruntime-web/webgpu")
    : import("onnxruntime-web/wasm"));
  ort.env.wasm.numThreads = threads;
  const bytes = async (file: string) => new Uint8Array(await (await fetch(file)).arrayBuffer());
  const base = url.replace(/\.safetensors$/, "");
  const [model, state, batches] = await Promise.all([
    bytes(`${base}.onnx`),
    bytes(`${base}.state.safetensors`),
    bytes(url),
  ]);
  const loaded = await ort.InferenceSession.create(model, {
    executionProviders: [backend],
    logSeverityLevel: 3,
  });
  session = new StatefulSession(loaded, ort.Tensor);
  await session.setState(decodeSafetensors(state, "the state").tensors);
  const { tensors, metadata } = decodeSafetensors(batches, "the case");
  steps = Number(metadata.steps);
  feeds = new Map([...tensors].filter(([name]) => loaded.inputNames.includes(name)));
  const how = backend === "wasm" ? `${backend}, ${threads} threads` : backend;
  return { version: ort.env.versions.web, how };
}

async function round() {
  const start = performance.now();
  const outputs = await session.run(feeds);
  return { ms: (performance.now() - start) / steps, metrics: firstOf(outputs, steps) };
}

addEventListener("message", async ({ data: [what, ...place] }) => {
  try {
    postMessage({
      result: what === "open" ? await open(...(place as Parameters<typeof open>)) : await round(),
    });
  } catch (error) {
    postMessage({ error: messageOf(error) });
  }
});
