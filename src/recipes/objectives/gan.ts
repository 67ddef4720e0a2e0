import {
  add,
  cast,
  concat,
  div,
  gradients,
  mean,
  mul,
  reshape,
  split,
  square,
  sub,
  sum,
  type Value,
} from "../../graph/index.js";
import type { Network } from "../../networks/index.js";
import type { Phase, StepInput } from "../design.js";
import type { AdversarialLoss } from "./losses.js";

export type TwoPlayers = {
  readonly generator: Network<(z: Value, label?: Value) => Value>;
  readonly discriminator: Network<(x: Value, label?: Value) => Value>;
};

/** Convert bytes of images to [-1, 1], the range of tanh: x / 127.5 - 1. */
export function toSigned(bytes: Value): Value {
  return sub(div(cast(bytes, { to: "float32" }), 127.5), 1);
}

export interface AdversarialOptions {
  readonly pixels: number;
  readonly latent: number;
  readonly loss: AdversarialLoss;
  /**
   * One-sided label smoothing (Salimans et al. 2016, https://arxiv.org/abs/1606.03498): the target of real images is
   * reduced by this.
   */
  readonly labelSmoothing: number;
  /** Standard deviation of the noise on all inputs of D (Sønderby et al. 2017, https://arxiv.org/abs/1610.04490). */
  readonly instanceNoise: number;
  /**
   * R1: the weight γ of the penalty γ/2 · mean ‖∇D(x)‖² at real images (Mescheder et al. 2018,
   * https://arxiv.org/abs/1801.04406).
   */
  readonly r1: number;
  /** Whether both networks receive the class of each image. */
  readonly labelled: boolean;
  /** Whether the gradient of D's loss stops at the generated images. The results are the same. */
  readonly detach: boolean;
  /** Whether D gets real and generated images in one batch. Not possible with batch statistics. */
  readonly jointly: boolean;
}

/**
 * The two updates of a generative adversarial network (Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661): first
 * the discriminator, on real and generated images, then the generator, with new noise and the updated discriminator.
 *
 * Metrics: the losses, and D's mean opinions of real and generated images before its update.
 */
export function adversarial(options: AdversarialOptions): readonly Phase<TwoPlayers>[] {
  const { pixels, latent, loss, labelSmoothing, instanceNoise, r1, labelled, detach, jointly } = options;
  const normal = (size: number): StepInput => ({ role: "normal", shape: [size] });
  const optional = (wanted: boolean, inputs: Record<string, StepInput>) => (wanted ? inputs : {});
  const noisy = instanceNoise > 0;
  const labels: StepInput = { role: "labels", shape: [] };
  const seen = (x: Value, noise: Value | undefined) => (noise ? add(x, mul(noise, instanceNoise)) : x);
  return [
    {
      updates: "discriminator",
      repeats: 1,
      inputs: {
        x: { role: "images", shape: [pixels] },
        z_d: normal(latent),
        ...optional(labelled, { y_d: labels }),
        ...optional(noisy, { noise_real: normal(pixels), noise_fake: normal(pixels) }),
      },
      undetached: detach ? [] : ["generator"],
      trace({ generator, discriminator }, { x, z_d, y_d, noise_real, noise_fake }) {
        const images = [seen(toSigned(x), noise_real), seen(flat(generator(z_d, y_d), pixels), noise_fake)];
        const [real, fake] = jointly
          ? split(discriminator(concat(images, 0)), 0, 2)
          : images.map((image) => discriminator(image, y_d));
        const d_loss = loss.discriminator(real, fake, 1 - labelSmoothing);
        const [real_score, fake_score] = [mean(loss.opinion(real)), mean(loss.opinion(fake))];
        const metrics = { d_loss, real_score, fake_score };
        if (r1 === 0) return { loss: d_loss, metrics };
        const [slope] = gradients(sum(real), [images[0]]);
        const penalty = mean(sum(square(slope), [1]));
        return { loss: add(d_loss, mul(penalty, r1 / 2)), metrics: { ...metrics, r1: penalty } };
      },
    },
    {
      updates: "generator",
      repeats: 1,
      inputs: {
        z_g: normal(latent),
        ...optional(labelled, { y_g: labels }),
        ...optional(noisy, { noise_g: normal(pixels) }),
      },
      trace({ generator, discriminator }, { z_g, y_g, noise_g }) {
        const fake = seen(flat(generator(z_g, y_g), pixels), noise_g);
        const g_loss = loss.generator(discriminator(fake, y_g));
        return { loss: g_loss, metrics: { g_loss } };
      },
    },
  ];
}

/** Flatten images to rows of pixels, the form of the data. */
function flat(image: Value, pixels: number): Value {
  return reshape(image, [image.shape[0], pixels]);
}
