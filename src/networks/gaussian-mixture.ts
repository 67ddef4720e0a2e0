import {
  add,
  cast,
  concat,
  cond,
  constant,
  div,
  erf,
  exp,
  floor,
  gemm,
  greater,
  log,
  max,
  minimum,
  mul,
  neg,
  reshape,
  slice,
  square,
  sub,
  sum,
  type Value,
  withScope,
} from "../graph/index.js";
import { diagonals, factorized } from "./cholesky.js";
import { identityMatrix } from "./conv.js";
import type { Scope } from "./network.js";

/** A mixture of normal distributions for each class, p(x | c) = Σ_k w_ck N(x; m_ck, Σ_ck), on x [batch, latent]. */
export interface GaussianMixture {
  /** ln p(x | c), with the classes as one-hot vectors [batch, classes]: [batch]. */
  logDensity(x: Value, classes: Value): Value;
  /**
   * Update the buffers of the mixture with one step of online EM on a batch.
   *
   * @param variance the variance of each number of x, [batch, latent]. It is added to the covariances.
   * @param chance independent uniform numbers in [0, 1), [batch, 1]. They select the initial component of a sample.
   */
  fit(x: Value, variance: Value, classes: Value, chance: Value): void;
  /**
   * Sample from the mixture. The first number of z, standard normal, selects the component by its weight. The others
   * are the noise.
   *
   * @param z [batch, latent + 1], independent standard normal numbers.
   * @param temperature the factor of the noise. Below 1, samples are closer to the means.
   */
  sample(z: Value, classes: Value, temperature: number): Value;
}

export interface MixtureSize {
  readonly classes: number;
  /** The number of components per class. */
  readonly components: number;
  readonly latent: number;
}

/** The number of steps between two updates of the components. */
const EVERY = 50;
/** The approximate number of steps in the statistics. */
const MEMORY = 900;
/** The number of samples per step for which each is the first sample of a component, if there are enough components. */
const FIRST_BATCH = 64;
/** The covariance of each component includes this number of additional samples, as spread out as half of the class. */
const SHRINKAGE = 2;

/**
 * A mixture of Gaussians that is trained by online EM (Cappé and Moulines 2009, https://arxiv.org/abs/0712.4273). In
 * each step, with the responsibilities r_k = w_k N(x; m_k, Σ_k) / p(x), the sufficient statistics are updated:
 *
 *     S0 ← γ·S0 + Σ r     S1 ← γ·S1 + Σ r·x     S2 ← γ·S2 + Σ r·(x·xᵀ + diag(variance))
 *
 * with γ = min(1 - 1/900, n / (n + 2)) in step n, so that the first statistics, from other components, are forgotten.
 * Every 50 steps the components are computed from the statistics: w = S0 / Σ S0, m = S1 / S0, Σ = S2 / S0 - m·mᵀ,
 * shrunk slightly towards the class's. In the first 50 steps, the statistics of each component are those of the last
 * few samples that were assigned to it at random, so components start at samples of their class.
 *
 * Everything is stored in buffers: the weights as logarithms, and Σ as its Cholesky factor L and as W = L⁻¹.
 */
export function gaussianMixture(
  scope: Scope,
  name: string,
  { classes, components, latent }: MixtureSize,
): GaussianMixture {
  const all = classes * components;
  const zero = { kind: "constant", value: 0 } as const;
  const unit = { kind: "given", values: unitMatrices(all, latent) } as const;
  const buffer = (part: string, shape: readonly number[], init: Parameters<Scope["buffer"]>[2] = zero) =>
    scope.buffer(`${name}.${part}`, shape, init);
  const logWeights = buffer("log_weights", [classes, components], {
    kind: "constant",
    value: -Math.log(components),
  });
  const means = buffer("means", [all, latent]);
  const factors = buffer("factors", [all, latent, latent], unit);
  const whitening = buffer("whitening", [all, latent, latent], unit);
  const counts = buffer("counts", [all]);
  const sums = buffer("sums", [all, latent]);
  const products = buffer("products", [all, latent, latent]);
  const steps = buffer("steps", []);

  const evenly = constant(
    "float32",
    [1, components],
    Float32Array.from({ length: components }, (_, i) => i + 1),
  );
  /** Extend numbers for the components of each sample's class to all components, with 0 for other classes. */
  const spreadOver = (share: Value, chosen: Value) => {
    const batch = share.shape[0];
    const product = mul(reshape(share, [batch, 1, components]), reshape(chosen, [batch, classes, 1]));
    return reshape(product, [batch, all]);
  };

  /** ln (w_k N(x; m_k, Σ_k)) of the components of each sample's class: [batch, components]. */
  const joint = (x: Value, chosen: Value) => {
    const batch = x.shape[0];
    const w = whitening.read();
    const centres = sum(mul(w, reshape(means.read(), [all, 1, latent])), [2]);
    const whitened = gemm(x, reshape(w, [all * latent, latent]), {
      transB: true,
      c: reshape(neg(centres), [all * latent]),
    });
    const distances = sum(square(reshape(whitened, [batch, all, latent])), [2]);
    const volumes = sum(log(diagonals(w, latent)), [1]);
    const offsets = sub(
      add(reshape(logWeights.read(), [all]), volumes),
      (latent / 2) * Math.log(2 * Math.PI),
    );
    const logs = sub(offsets, mul(distances, 0.5));
    return sum(mul(reshape(logs, [batch, classes, components]), reshape(chosen, [batch, classes, 1])), [1]);
  };

  return {
    logDensity: (x, chosen) => withScope(name, () => reshape(logSumExp(joint(x, chosen)), [x.shape[0]])),

    fit: (x, variance, chosen, chance) =>
      withScope(name, () => {
        const batch = x.shape[0];
        const n = add(steps.read(), 1);
        steps.write(n);
        const later = sub(n, EVERY);
        const { shares, keep } = cond(
          greater(later, 0.5),
          () => {
            const logs = joint(x, chosen);
            const share = exp(sub(logs, logSumExp(logs)));
            const memory = minimum(div(later, add(later, 2)), 1 - 1 / MEMORY);
            return { shares: spreadOver(share, chosen), keep: add(mul(counts.read(), 0), memory) };
          },
          () => {
            const place = mul(chance, components);
            const counted = greater(Math.min(1, all / FIRST_BATCH), sub(place, floor(place)));
            const share = mul(between(place, evenly, components), cast(counted, { to: "float32" }));
            const shares = spreadOver(share, chosen);
            return { shares, keep: cast(greater(0.5, sum(shares, [0])), { to: "float32" }) };
          },
        );
        const followed = (before: Value, news: Value) => {
          const shape = before.shape.map((extent, axis) => (axis === 0 ? extent : 1));
          return add(mul(before, reshape(keep, shape)), news);
        };
        const squares = mul(reshape(x, [batch, latent, 1]), reshape(x, [batch, 1, latent]));
        const spread = gemm(shares, reshape(squares, [batch, latent * latent]), { transA: true });
        const uncertain = mul(
          reshape(gemm(shares, variance, { transA: true }), [all, latent, 1]),
          identityMatrix(latent),
        );
        const s0 = followed(counts.read(), sum(shares, [0]));
        const s1 = followed(sums.read(), gemm(shares, x, { transA: true }));
        const s2 = followed(products.read(), add(reshape(spread, [all, latent, latent]), uncertain));
        counts.write(s0);
        sums.write(s1);
        products.write(s2);
        const places = { logWeights, means, factors, whitening };
        const isDue = greater(0.5, sub(n, mul(floor(div(n, EVERY)), EVERY)));
        const next = cond<Record<string, Value>>(
          isDue,
          () => componentsOf(s0, s1, s2, { classes, components, latent }),
          () => Object.fromEntries(Object.entries(places).map(([key, place]) => [key, place.read()])),
        );
        for (const [key, place] of Object.entries(places)) place.write(next[key]);
      }),

    sample: (z, chosen, temperature) =>
      withScope(name, () => {
        const batch = z.shape[0];
        const choice = slice(z, [{ axis: 1, start: 0, end: 1 }]);
        const noise = slice(z, [{ axis: 1, start: 1, end: latent + 1 }]);
        // Φ(z) is uniform: select the component whose part of the cumulative weights contains it.
        const uniform = mul(add(erf(mul(choice, Math.SQRT1_2)), 1), 0.5);
        const cumulated = gemm(gemm(chosen, exp(logWeights.read())), upToEach(components));
        const component = between(uniform, cumulated, components);
        const selected = spreadOver(component, chosen);
        const mean = gemm(selected, means.read());
        const factor = gemm(selected, reshape(factors.read(), [all, latent * latent]));
        const spread = sum(
          mul(reshape(factor, [batch, latent, latent]), reshape(noise, [batch, 1, latent])),
          [2],
        );
        return add(mean, mul(spread, temperature));
      }),
  };
}

/** The M-step of EM: weights, means and covariances from the statistics. */
function componentsOf(
  s0: Value,
  s1: Value,
  s2: Value,
  { classes, components, latent }: MixtureSize,
): { logWeights: Value; means: Value; factors: Value; whitening: Value } {
  const all = classes * components;
  const ofClass = (value: Value, shape: readonly number[]) =>
    sum(reshape(value, [classes, components, ...shape]), [1]);
  const outer = (m: Value, n: number) => mul(reshape(m, [n, latent, 1]), reshape(m, [n, 1, latent]));
  // A component or class without samples keeps a small weight and a large covariance.
  const count = add(s0, 1e-3);
  const means = div(s1, reshape(count, [all, 1]));
  const covariance = sub(div(s2, reshape(count, [all, 1, 1])), outer(means, all));
  const total = ofClass(count, []);
  const centre = div(ofClass(s1, [latent]), reshape(total, [classes, 1]));
  const wide = sub(
    div(ofClass(s2, [latent, latent]), reshape(total, [classes, 1, 1])),
    outer(centre, classes),
  );
  const prior = mul(add(wide, mul(identityMatrix(latent), 1e-3)), SHRINKAGE / 2);
  const shrunk = div(
    add(
      mul(
        reshape(covariance, [classes, components, latent, latent]),
        reshape(count, [classes, components, 1, 1]),
      ),
      reshape(prior, [classes, 1, latent, latent]),
    ),
    reshape(add(count, SHRINKAGE), [classes, components, 1, 1]),
  );
  const { factors, whitening } = factorized(reshape(shrunk, [all, latent, latent]), all, latent);
  const weights = div(reshape(count, [classes, components]), reshape(total, [classes, 1]));
  return { logWeights: log(weights), means, factors, whitening };
}

/** ln Σ exp a over the last axis of a [batch, n], without overflow: [batch, 1]. */
function logSumExp(a: Value): Value {
  const largest = max(a, [1], { keepdims: true });
  return add(largest, log(sum(exp(sub(a, largest)), [1], { keepdims: true })));
}

/** A matrix whose product with rows of weights gives their cumulative sums: ones on and above the diagonal. */
function upToEach(size: number): Value {
  const data = Float32Array.from({ length: size * size }, (_, i) => +(Math.floor(i / size) <= i % size));
  return constant("float32", [size, size], data);
}

/**
 * One-hot vectors [batch, count] of the interval that contains each number [batch, 1], given the ends [batch, count].
 */
function between(number: Value, ends: Value, count: number): Value {
  // Not onesLike and zerosLike: they need the shape, and WebGPU leaves arithmetic on shapes to the CPU.
  const zero = mul(number, 0);
  const one = add(zero, 1);
  if (count === 1) return one;
  const inner = slice(ends, [{ axis: 1, start: 0, end: count - 1 }]);
  const beyond = cast(greater(number, inner), { to: "float32" });
  return sub(concat([one, beyond], 1), concat([beyond, zero], 1));
}

function unitMatrices(n: number, size: number): Float32Array {
  return Float32Array.from({ length: n * size * size }, (_, i) => +((i % (size * size)) % (size + 1) === 0));
}
