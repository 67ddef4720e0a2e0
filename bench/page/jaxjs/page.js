// jax-js's side of a comparison, in a page: steps from the weights and batches of a case, each phase compiled by jit.
import { blockUntilReady, defaultDevice, init, jit, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { givenIn, readCase, weightsOf } from "../case.js";
import { phasesOf } from "./recipes.js";

/** Adam as PyTorch has it; takes what it is given, as all functions of jax-js do. */
function adam(w, g, m, v, [first, second], { beta1, beta2, epsilon, learningRate }) {
  const nextM = m.mul(beta1).add(g.ref.mul(1 - beta1));
  const nextV = v.mul(beta2).add(np.square(g).mul(1 - beta2));
  const step = nextM.ref.div(first).div(np.sqrt(nextV.ref.div(second)).add(epsilon));
  return [w.sub(step.mul(learningRate)), nextM, nextV];
}

globalThis.open = async (url, backend, threads) => {
  const ready = await init(backend);
  if (!ready.includes(backend)) throw new Error(`the backend ${backend} does not start`);
  defaultDevice(backend);
  const { configuration: c, tensors } = await readCase(url);
  const weights = Object.fromEntries(
    weightsOf(tensors).map(([name, { shape, data }]) => [name, np.array(data).reshape(shape)]),
  );
  const phases = phasesOf(c).map(({ updates, repeats = 1, inputs, loss, metrics }) => {
    const learnt = Object.keys(weights).filter((name) => name.startsWith(`${updates}.`));
    const zeros = () => Object.fromEntries(learnt.map((name) => [name, np.zeros(weights[name].shape)]));
    const slots = { m: zeros(), v: zeros() };
    /** Weights of both networks and a batch in, learnt weights and moments out. */
    const update = jit((own, others, m, v, batch, corrections) => {
      const gradient = valueAndGrad((own) => loss({ ...own, ...tree.ref(others) }, tree.ref(batch)), {
        hasAux: true,
      });
      const [[, recorded], slopes] = gradient(tree.ref(own));
      tree.dispose(others);
      tree.dispose(batch);
      const next = { own: {}, m: {}, v: {}, recorded };
      for (const name of learnt) {
        const parts = corrections.map((part) => part.ref);
        [next.own[name], next.m[name], next.v[name]] = adam(
          own[name],
          slopes[name],
          m[name],
          v[name],
          parts,
          c,
        );
      }
      tree.dispose(corrections);
      return next;
    });
    return { repeats, inputs, learnt, slots, update, metrics, made: 0 };
  });

  globalThis.round = async (steps) => {
    const metrics = {};
    const all = [];
    const start = performance.now();
    for (let i = 0; i < steps; i++) {
      for (const phase of phases) {
        for (let repeat = 0; repeat < phase.repeats; repeat++) {
          phase.made += 1;
          const batch = Object.fromEntries(
            givenIn(tensors, phase, i, repeat).map(([name, shape, numbers]) => [
              name,
              np
                .array(numbers instanceof Float32Array ? numbers : Float32Array.from(numbers, Number))
                .reshape(shape),
            ]),
          );
          const corrections = [c.beta1, c.beta2].map((beta) => np.array([1 - beta ** phase.made]));
          const own = Object.fromEntries(phase.learnt.map((name) => [name, weights[name]]));
          const others = Object.fromEntries(
            Object.entries(weights).flatMap(([name, value]) => (name in own ? [] : [[name, value.ref]])),
          );
          const { slots } = phase;
          const next = phase.update(own, others, slots.m, slots.v, batch, corrections);
          Object.assign(weights, next.own);
          Object.assign(slots, { m: next.m, v: next.v });
          all.push(next.recorded);
        }
      }
    }
    await blockUntilReady(Object.values(weights).map((value) => value.ref)).then((refs) =>
      tree.dispose(refs),
    );
    for (const recorded of all) {
      for (const [name, value] of Object.entries(recorded)) {
        metrics[name] ??= [];
        metrics[name].push((await value.data())[0]);
      }
    }
    return { ms: (performance.now() - start) / steps, metrics };
  };
  return { version: "0.1.25", how: backend === "wasm" ? `${backend}, ${threads} threads` : backend };
};
