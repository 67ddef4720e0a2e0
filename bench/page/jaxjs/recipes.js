// The recipes of gan-onnx in jax-js, as far as they are multilayer perceptrons: the same names of tensors, the same
// losses of the same inputs. Each use of an array gives it away; `.ref` keeps it.
import { grad, nn, numpy as np, tree } from "@jax-js/jax";

/**
 * The phases of a step, each with the network that it updates, how often, what it is given, and its loss
 * `(weights, batch) -> [loss, recorded]`.
 */
export function phasesOf(c) {
  if (c.recipe === "vae") return [vae()];
  if (c.recipe === "vanilla") return vanilla(c);
  if (c.recipe === "wgan-gp") return wasserstein(c);
  throw new Error("not written for jax-js: its convolutions are not compared");
}

const linear = (w, name, x) => np.matmul(x, np.transpose(w[`${name}.weight`].ref)).add(w[`${name}.bias`].ref);
const leaky = (h) => nn.leakyRelu(h, 0.2);
const signed = (x) => x.div(127.5).sub(1);

function stack(w, prefix, depth, x, activation) {
  let h = linear(w, `${prefix}.0`, x);
  for (let i = 1; i <= depth; i++) h = linear(w, `${prefix}.${2 * i}`, activation(h));
  return h;
}

const networks = ({ depth }) => ({
  G: (w, z) => np.tanh(stack(w, "generator.gen", depth, z, nn.relu)),
  D: (w, x) => stack(w, "discriminator.dis", depth, x, leaky),
});

function vanilla(c) {
  const { G, D } = networks(c);
  const real = (a) => nn.softplus(a.mul(-1)).mean();
  return [
    {
      updates: "discriminator",
      inputs: ["x", "z_d"],
      loss(w, { x, z_d }) {
        const [a, b] = [D(w, signed(x)), D(w, G(w, z_d))];
        tree.dispose(w);
        const recorded = { real_score: nn.sigmoid(a.ref).mean(), fake_score: nn.sigmoid(b.ref).mean() };
        const loss = real(a).add(nn.softplus(b).mean());
        return [loss.ref, { ...recorded, d_loss: loss }];
      },
    },
    {
      updates: "generator",
      inputs: ["z_g"],
      loss(w, { z_g }) {
        const loss = real(D(w, G(w, z_g)));
        tree.dispose(w);
        return [loss.ref, { g_loss: loss }];
      },
    },
  ];
}

function wasserstein(c) {
  const { G, D } = networks(c);
  return [
    {
      updates: "discriminator",
      repeats: c.critics,
      inputs: ["x", "z_d", "eps"],
      loss(w, { x, z_d, eps }) {
        const [a, b] = [signed(x), G(w, z_d)];
        const mix = eps.ref.mul(a.ref).add(np.subtract(1, eps).mul(b.ref));
        const slope = grad((image) => D(w, image).sum())(mix);
        const norm = np.sqrt(np.square(slope).sum(1));
        const penalty = np.square(norm.sub(1)).mean();
        const distance = D(w, a).mean().sub(D(w, b).mean());
        tree.dispose(w);
        const loss = penalty.ref.mul(c.lambda).sub(distance.ref);
        return [loss.ref, { gradient_penalty: penalty, wasserstein: distance, d_loss: loss }];
      },
    },
    {
      updates: "generator",
      inputs: ["z_g"],
      loss(w, { z_g }) {
        const loss = D(w, G(w, z_g)).mean().mul(-1);
        tree.dispose(w);
        return [loss.ref, { g_loss: loss }];
      },
    },
  ];
}

function vae() {
  return {
    updates: "vae",
    inputs: ["x", "eps"],
    loss(w, { x, eps }) {
      const u = x.div(255);
      const h = nn.relu(linear(w, "vae.fc1", u.ref));
      const [mu, logvar] = [linear(w, "vae.mu", h.ref), linear(w, "vae.logvar", h)];
      const z = mu.ref.add(eps.mul(np.exp(logvar.ref.mul(0.5))));
      const a = linear(w, "vae.fc4", nn.relu(linear(w, "vae.fc3", z)));
      tree.dispose(w);
      const reconstruction = nn.softplus(a.ref).sub(u.mul(a)).sum(1).mean();
      const kl = logvar.ref.add(1).sub(np.square(mu)).sub(np.exp(logvar)).sum(1).mean().mul(-0.5);
      const loss = reconstruction.ref.add(kl.ref);
      return [loss.ref, { reconstruction, kl, loss }];
    },
  };
}
