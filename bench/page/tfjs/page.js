// TensorFlow.js's side of a comparison, in a page: steps with the weights and batches of a case.
import { getThreadsCount, setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import { givenIn, readCase } from "../case.js";
import { phasesOf } from "./recipes.js";

/** A tensor to be learnt. Kernels of PyTorch, [out, in, height, width], in TensorFlow.js's order of axes. */
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

  globalThis.round = async (steps) => {
    const metrics = {};
    const start = performance.now();
    for (let i = 0; i < steps; i++) {
      for (const phase of phases) {
        const { adam, loss, learned } = phase;
        for (let repeat = 0; repeat < phase.repeats; repeat++) {
          tf.tidy(() => {
            const given = givenIn(tensors, phase, i, repeat);
            const batch = Object.fromEntries(
              given.map(([name, shape, numbers]) => {
                const dtype = numbers instanceof Uint8Array ? "int32" : "float32";
                return [name, tf.tensor(numbers, shape, dtype)];
              }),
            );
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
