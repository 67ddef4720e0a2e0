// TensorFlow.js's side of a comparison, in a page: the recipes vanilla and vae, from the weights and batches of a case.
import { getThreadsCount, setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";

const arrays = { F32: Float32Array, U8: Uint8Array, I64: BigInt64Array };

/** A safetensors file: its configuration, and its tensors by name. */
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

/** Every recipe: its updates, each with what it updates and its loss, which names what it records. */
const recipes = {
  vanilla({ depth }, layer) {
    const stack = (prefix, x, activation) => {
      let h = layer(`${prefix}.0`, x);
      for (let i = 1; i <= depth; i++) h = layer(`${prefix}.${2 * i}`, activation(h));
      return h;
    };
    const G = (z) => tf.tanh(stack("generator.gen", z, tf.relu));
    const D = (x) => stack("discriminator.dis", x, (h) => tf.leakyRelu(h, 0.2));
    const real = (a) => tf.mean(tf.softplus(tf.neg(a)));
    return [
      {
        updates: "discriminator",
        loss({ x, z_d }, record) {
          const images = tf.sub(tf.div(x, 127.5), 1);
          const [a, b] = [D(images), D(G(z_d))];
          record("real_score", tf.mean(tf.sigmoid(a)));
          record("fake_score", tf.mean(tf.sigmoid(b)));
          return record("d_loss", tf.add(real(a), tf.mean(tf.softplus(b))));
        },
      },
      { updates: "generator", loss: ({ z_g }, record) => record("g_loss", real(D(G(z_g)))) },
    ];
  },

  vae(_, layer) {
    return [
      {
        updates: "vae",
        loss({ x, eps }, record) {
          const u = tf.div(x, 255);
          const h = tf.relu(layer("vae.fc1", u));
          const [mu, logvar] = [layer("vae.mu", h), layer("vae.logvar", h)];
          const z = tf.add(mu, tf.mul(eps, tf.exp(tf.mul(logvar, 0.5))));
          const a = layer("vae.fc4", tf.relu(layer("vae.fc3", z)));
          const reconstruction = tf.mean(tf.sum(tf.sub(tf.softplus(a), tf.mul(u, a)), 1));
          const terms = tf.sub(tf.sub(tf.add(logvar, 1), tf.square(mu)), tf.exp(logvar));
          const kl = tf.mul(tf.mean(tf.sum(terms, 1)), -0.5);
          record("reconstruction", reconstruction);
          record("kl", kl);
          return record("loss", tf.add(reconstruction, kl));
        },
      },
    ];
  },
};

/** Load a case on a backend; returns TensorFlow.js's version and what runs it. */
globalThis.open = async (url, backend, threads) => {
  if (backend === "wasm") {
    setWasmPaths("/node_modules/@tensorflow/tfjs-backend-wasm/dist/");
    setThreadsCount(threads);
  }
  if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} does not start`);
  await tf.ready();
  const { configuration: c, tensors } = await readCase(url);
  if (!recipes[c.recipe]) throw new Error(`bench/tfjs has no ${c.recipe}`);

  const entries = [...tensors].filter(([name]) => name.includes("."));
  const weights = new Map(
    entries.map(([name, { shape, data }]) => [name, tf.variable(tf.tensor(data, shape))]),
  );
  const layer = (name, x) =>
    tf.add(tf.matMul(x, weights.get(`${name}.weight`), false, true), weights.get(`${name}.bias`));
  const updates = recipes[c.recipe](c, layer).map(({ updates, loss }) => ({
    loss,
    learnt: [...weights].filter(([name]) => name.startsWith(`${updates}.`)).map(([, variable]) => variable),
    adam: tf.train.adam(c.learningRate, c.beta1, c.beta2, c.epsilon),
  }));
  const inputs = [...tensors].filter(([name]) => !name.includes("."));

  /** One batch of every input. */
  const batch = (step) =>
    Object.fromEntries(
      inputs.map(
        ([
          name,
          {
            shape: [steps, ...shape],
            data,
          },
        ]) => {
          const size = data.length / steps;
          const numbers = data.subarray(step * size, (step + 1) * size);
          return [
            name,
            data instanceof Uint8Array ? tf.tensor(numbers, shape, "int32") : tf.tensor(numbers, shape),
          ];
        },
      ),
    );

  globalThis.round = async (steps) => {
    const metrics = {};
    const start = performance.now();
    for (let i = 0; i < steps; i++) {
      tf.tidy(() => {
        const given = batch(i);
        for (const { adam, loss, learnt } of updates) {
          const record = (name, value) => {
            metrics[name] ??= [];
            metrics[name].push(tf.keep(value.clone()));
            return value;
          };
          const { grads } = tf.variableGrads(() => loss(given, record), learnt);
          adam.applyGradients(grads);
        }
      });
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
