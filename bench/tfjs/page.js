// TensorFlow.js's side of a comparison, in a page: steps with the weights and batches of a case.
import { getThreadsCount, setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import { phasesOf } from "./recipes.js";

const arrays = { F32: Float32Array, U8: Uint8Array, I64: BigInt64Array };

/** Read a safetensors file: its configuration, and its tensors by name. */
async function readCase(url) {
  const buffer = await (await fetch(url)).arrayBuffer();
  const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, start - 8)));
  const configuration = JSON.parse(header.__metadata__.configuration);
  delete header.__metadata__;
  const tensors = new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => [name, { shape, data: new arrays[dtype](buffer.slice(start + begin, start + end)) }],
    ),
  );
  return { configuration, tensors };
}

/** A trainable tensor. PyTorch's kernels [out, in, height, width] are transposed to TensorFlow.js's order of axes. */
function variableOf({ shape, data }) {
  const tensor = tf.tensor(data, shape);
  return tf.variable(shape.length === 4 ? tf.transpose(tensor, [2, 3, 1, 0]) : tensor);
}

/** Load a case on a backend. Returns TensorFlow.js's version and its device. */
globalThis.open = async (url, backend, threads) => {
  if (backend === "wasm") {
    setWasmPaths("/node_modules/@tensorflow/tfjs-backend-wasm/dist/");
    setThreadsCount(threads);
  }
  if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} does not start`);
  await tf.ready();
  const { configuration: c, tensors } = await readCase(url);
  const entries = [...tensors].filter(([name]) => name.includes(".") && !name.includes(".running_"));
  const weights = new Map(entries.map(([name, tensor]) => [name, variableOf(tensor)]));
  const phases = phasesOf(c, (name) => weights.get(name)).map(({ updates, repeats = 1, inputs, loss }) => ({
    ...{ repeats, inputs, loss },
    learned: [...weights].filter(([name]) => name.startsWith(`${updates}.`)).map(([, variable]) => variable),
    adam: tf.train.adam(c.learningRate, c.beta1, c.beta2, c.epsilon),
  }));

  /** The inputs of one update of a phase: [steps, batch, ...], or [steps, repeats, batch, ...] if it repeats. */
  const given = ({ repeats, inputs }, step, repeat) =>
    Object.fromEntries(
      inputs.map((name) => {
        const { shape, data } = tensors.get(name);
        const size = data.length / shape[0] / repeats;
        const first = (step * repeats + repeat) * size;
        const numbers = data.subarray(first, first + size);
        const dtype = data instanceof Uint8Array ? "int32" : "float32";
        return [name, tf.tensor(numbers, shape.slice(repeats > 1 ? 2 : 1), dtype)];
      }),
    );

  globalThis.round = async (steps) => {
    const metrics = {};
    const start = performance.now();
    for (let i = 0; i < steps; i++) {
      for (const phase of phases) {
        const { adam, loss, learned } = phase;
        for (let repeat = 0; repeat < phase.repeats; repeat++) {
          tf.tidy(() => {
            const batch = given(phase, i, repeat);
            const record = (name, value) => {
              metrics[name] ??= [];
              metrics[name].push(tf.keep(value.clone()));
              return value;
            };
            const { grads } = tf.variableGrads(() => loss(batch, record), learned);
            adam.applyGradients(grads);
          });
        }
      }
    }
    for (const [name, values] of Object.entries(metrics)) {
      metrics[name] = await Promise.all(values.map(async (value) => (await value.data())[0]));
    }
    return { ms: (performance.now() - start) / steps, metrics };
  };
  return {
    version: tf.version_core,
    how: backend === "wasm" ? `${backend}, ${getThreadsCount()} threads` : backend,
  };
};
