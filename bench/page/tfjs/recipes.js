// The recipes of gan-onnx in TensorFlow.js: networks with the same tensor names, and the same losses of the same
// inputs. Images are [batch, height, width, channels] here, the only layout for convolutions of its wasm backend.
import * as tf from "@tensorflow/tfjs-core";

/**
 * The phases of a step, each with its network, repeats, inputs and loss. The loss passes its metrics to `record`.
 *
 * @param c the configuration.
 * @param weight a trainable tensor by name. Kernels are [height, width, in, out], those of transposed convolutions
 * [height, width, out, in].
 */
export function phasesOf(c, weight) {
  const linear = (name, x) =>
    tf.add(tf.matMul(x, weight(`${name}.weight`), false, true), weight(`${name}.bias`));
  if (c.recipe === "vae") return [vae(linear)];
  const networks = { vanilla: mlps, "wgan-gp": mlps, dcgan: convolutional, conditional: convolutional };
  const network = networks[c.recipe];
  if (!network) throw new Error("not written for TensorFlow.js");
  const { G, D } = network(c, weight, linear);
  return c.recipe === "wgan-gp" ? wasserstein(c, G, D) : adversarial(c, G, D);
}

const leaky = (h) => tf.leakyRelu(h, 0.2);
/** A LeakyReLU that can be differentiated twice. TensorFlow.js's own cannot. */
const leakyTwice = (h) => tf.sub(tf.relu(h), tf.mul(tf.relu(tf.neg(h)), 0.2));
const signed = (x) => tf.sub(tf.div(x, 127.5), 1);

function mlps({ recipe, depth }, _, linear) {
  const activation = recipe === "wgan-gp" ? leakyTwice : leaky;
  const stack = (prefix, x, activation) => {
    let h = linear(`${prefix}.0`, x);
    for (let i = 1; i <= depth; i++) h = linear(`${prefix}.${2 * i}`, activation(h));
    return h;
  };
  return {
    G: (z) => tf.tanh(stack("generator.gen", z, tf.relu)),
    D: (x) => stack("discriminator.dis", x, activation),
  };
}

function convolutional({ width, classes }, weight, linear) {
  // Normalize by the batch's mean and variance. Running statistics are omitted: training only writes them.
  const normalized = (name, x) => {
    const { mean, variance } = tf.moments(x, [...Array(x.rank - 1).keys()]);
    const factor = tf.div(weight(`${name}.weight`), tf.sqrt(tf.add(variance, 1e-5)));
    return tf.add(tf.mul(tf.sub(x, mean), factor), weight(`${name}.bias`));
  };
  const halving = (name, x) => tf.add(tf.conv2d(x, weight(`${name}.weight`), 2, 1), weight(`${name}.bias`));
  const doubling = (name, x, channels) => {
    const [batch, h, w] = x.shape;
    const shape = [batch, 2 * h, 2 * w, channels];
    return tf.add(tf.conv2dTranspose(x, weight(`${name}.weight`), shape, 2, 1), weight(`${name}.bias`));
  };
  const oneHot = (y) => tf.oneHot(y, classes, 1, 0, "float32");
  return {
    G(z, y) {
      const fc = linear("generator.fc", y ? tf.concat([z, oneHot(y)], 1) : z);
      const start = tf.reshape(tf.relu(normalized("generator.bn1", fc)), [-1, 2 * width, 7, 7]);
      const h = doubling("generator.up1", tf.transpose(start, [0, 2, 3, 1]), width);
      return tf.tanh(doubling("generator.up2", tf.relu(normalized("generator.bn2", h)), 1));
    },
    D(x, y) {
      const image = tf.reshape(x, [-1, 28, 28, 1]);
      const planes = () => tf.tile(tf.reshape(oneHot(y), [-1, 1, 1, classes]), [1, 28, 28, 1]);
      const first = leaky(halving("discriminator.down1", y ? tf.concat([image, planes()], 3) : image));
      const h = leaky(normalized("discriminator.bn", halving("discriminator.down2", first)));
      return linear("discriminator.fc", tf.reshape(tf.transpose(h, [0, 3, 1, 2]), [x.shape[0], -1]));
    },
  };
}

function adversarial({ recipe }, G, D) {
  const labels = (name) => (recipe === "conditional" ? [name] : []);
  const real = (a) => tf.mean(tf.softplus(tf.neg(a)));
  return [
    {
      updates: "discriminator",
      inputs: ["x", "z_d", ...labels("y_d")],
      loss({ x, z_d, y_d }, record) {
        const [a, b] = [D(signed(x), y_d), D(G(z_d, y_d), y_d)];
        record("real_score", tf.mean(tf.sigmoid(a)));
        record("fake_score", tf.mean(tf.sigmoid(b)));
        return record("d_loss", tf.add(real(a), tf.mean(tf.softplus(b))));
      },
    },
    {
      updates: "generator",
      inputs: ["z_g", ...labels("y_g")],
      loss: ({ z_g, y_g }, record) => record("g_loss", real(D(G(z_g, y_g), y_g))),
    },
  ];
}

function wasserstein(c, G, D) {
  return [
    {
      updates: "discriminator",
      repeats: c.critics,
      inputs: ["x", "z_d", "eps"],
      loss({ x, z_d, eps }, record) {
        const [a, b] = [signed(x), G(z_d)];
        const mix = tf.add(tf.mul(eps, a), tf.mul(tf.sub(1, eps), b));
        const slope = tf.grad((image) => tf.sum(D(image)))(mix);
        const norm = tf.sqrt(tf.sum(tf.square(slope), 1));
        const penalty = record("gradient_penalty", tf.mean(tf.square(tf.sub(norm, 1))));
        const distance = record("wasserstein", tf.sub(tf.mean(D(a)), tf.mean(D(b))));
        return record("d_loss", tf.sub(tf.mul(penalty, c.lambda), distance));
      },
    },
    {
      updates: "generator",
      inputs: ["z_g"],
      loss: ({ z_g }, record) => record("g_loss", tf.neg(tf.mean(D(G(z_g))))),
    },
  ];
}

function vae(linear) {
  return {
    updates: "vae",
    inputs: ["x", "eps"],
    loss({ x, eps }, record) {
      const u = tf.div(x, 255);
      const h = tf.relu(linear("vae.fc1", u));
      const [mu, logvar] = [linear("vae.mu", h), linear("vae.logvar", h)];
      const z = tf.add(mu, tf.mul(eps, tf.exp(tf.mul(logvar, 0.5))));
      const a = linear("vae.fc4", tf.relu(linear("vae.fc3", z)));
      const reconstruction = tf.mean(tf.sum(tf.sub(tf.softplus(a), tf.mul(u, a)), 1));
      const terms = tf.sub(tf.sub(tf.add(logvar, 1), tf.square(mu)), tf.exp(logvar));
      const kl = tf.mul(tf.mean(tf.sum(terms, 1)), -0.5);
      record("reconstruction", reconstruction);
      record("kl", kl);
      return record("loss", tf.add(reconstruction, kl));
    },
  };
}
