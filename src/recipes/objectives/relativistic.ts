import {
  add,
  cast,
  concat,
  gradients,
  mean,
  mul,
  reshape,
  softplus,
  split,
  square,
  sub,
  sum,
} from "../../graph/index.js";
import type { Phase, StepInput } from "../design.js";
import { type TwoPlayers, toSigned } from "./gan.js";

/**
 * The regularized relativistic GAN (Huang et al. 2024, https://arxiv.org/abs/2501.05441, section 2). Each generated
 * image is compared with a real one of the same class, and D's gradient is penalized at both (R1 and R2; with R1 alone
 * it does not converge):
 *
 *     discriminator: mean softplus(-(D(x) - D(G(z)))) + γ/2 · (mean ‖∇D(x)‖² + mean ‖∇D(G(z))‖²)
 *     generator:     mean softplus(-(D(G(z)) - D(x)))
 *
 * Metrics: the losses, the two penalties without γ/2, and the mean difference D(x) - D(G(z)) before D's update.
 *
 * @param jointly whether D gets real and generated images in one batch. Not possible with batch statistics.
 */
export function relativistic({
  pixels,
  latent,
  gamma,
  labelled,
  jointly,
}: {
  readonly pixels: number;
  readonly latent: number;
  readonly gamma: number;
  readonly labelled: boolean;
  readonly jointly: boolean;
}): readonly Phase<TwoPlayers>[] {
  const images: StepInput = { role: "images", shape: [pixels] };
  const noise: StepInput = { role: "normal", shape: [latent] };
  const labels = (name: string): Record<string, StepInput> =>
    labelled ? { [name]: { role: "labels", shape: [] } } : {};
  return [
    {
      updates: "discriminator",
      repeats: 1,
      inputs: { x: images, z_d: noise, ...labels("y_d") },
      trace({ generator, discriminator }, { x, z_d, y_d }) {
        const seen = [toSigned(x), reshape(generator(z_d, y_d), [z_d.shape[0], pixels])];
        const inputs = jointly ? [concat(seen, 0)] : seen;
        const label = y_d && cast(y_d, { to: "int32" });
        const twice = label && (jointly ? concat([label, label], 0) : label);
        const opinions = inputs.map((image) => discriminator(image, twice));
        const slopes = opinions.flatMap((opinion, i) => gradients(sum(opinion), [inputs[i]]));
        const [real, fake] = jointly ? split(opinions[0], 0, 2) : opinions;
        const [r1, r2] = (jointly ? split(slopes[0], 0, 2) : slopes).map((slope) =>
          mean(sum(square(slope), [1])),
        );
        const margin = sub(real, fake);
        const loss = add(mean(softplus(sub(fake, real))), mul(add(r1, r2), gamma / 2));
        return { loss, metrics: { d_loss: loss, r1, r2, margin: mean(margin) } };
      },
    },
    {
      updates: "generator",
      repeats: 1,
      inputs: { x_g: images, z_g: noise, ...labels("y_g") },
      trace({ generator, discriminator }, { x_g, z_g, y_g }) {
        const fake = discriminator(reshape(generator(z_g, y_g), [z_g.shape[0], pixels]), y_g);
        const real = discriminator(toSigned(x_g), y_g);
        const loss = mean(softplus(sub(real, fake)));
        return { loss, metrics: { g_loss: loss } };
      },
    },
  ];
}
