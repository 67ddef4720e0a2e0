import { mean, reshape, square, stopGradient, type Value } from "../../graph/index.js";
import { type LatentFlow, repeatedRows } from "../../networks/index.js";
import type { OwnOptimization, Phase, Window } from "../design.js";
import { integrated, matching, type SolverOptions } from "./flow.js";
import { toSigned } from "./gan.js";
import {
  type AutoencoderOptions,
  autoencoderPhase,
  codeOf,
  imagesAnd,
  type Players,
  type PolishOptions,
  polishPhases,
} from "./vae-gan.js";

export type LatentFlowing = Players<LatentFlow>;

export interface LatentFlowOptions
  extends AutoencoderOptions,
    Omit<PolishOptions<LatentFlow>, "drawn" | "noise"> {
  readonly windows: AutoencoderOptions["windows"] &
    PolishOptions<LatentFlow>["windows"] & { readonly statistics: Window; readonly flow: Window };
  readonly flowing: OwnOptimization;
  /** The number of times and noises for each code of a batch. */
  readonly draws: number;
  readonly timeMean: number;
  readonly timeScale: number;
  /** The solver for samples during training. */
  readonly solver: Pick<SolverOptions, "steps" | "solver">;
}

/** Images [batch, pixels] from noise z [batch, latent] and classes [batch]: solve the flow of the codes, and decode. */
export function drawnByFlow(
  { decode, flow, standard }: LatentFlow,
  from: { readonly z: Value; readonly label?: Value },
  solver: Pick<SolverOptions, "steps" | "solver">,
): Value {
  // The solver's Loop has no gradient: only the decoder learns from samples.
  const code = stopGradient(integrated(flow, from, { prediction: "velocity", ...solver }));
  return decode(standard.invert(code), from.label);
}

/**
 * A rectified flow of the codes of a variational autoencoder, as in latent diffusion (Rombach et al. 2022,
 * https://arxiv.org/abs/2112.10752), whose decoder is also trained as a GAN's generator. The phases, each with its
 * window:
 *
 * - the autoencoder ({@link autoencoderPhase});
 * - statistics: mean and variance of the codes, samples μ + ε·σ of the encoder's distributions;
 * - the flow ({@link matching}) of the standardized codes, with `draws` times and noises for each;
 * - the decoder against a discriminator ({@link polishPhases}), on samples of the flow.
 */
export function latentFlowPhases(options: LatentFlowOptions): readonly Phase<LatentFlowing>[] {
  const { latent, windows, flowing, draws, timeMean, timeScale, solver } = options;
  const eps = { role: "normal", shape: [latent] } as const;
  return [
    autoencoderPhase(options),
    {
      updates: [],
      during: windows.statistics,
      repeats: 1,
      inputs: imagesAnd(options, { eps }),
      trace({ encoder, generator: { standard } }, { x, y, eps }) {
        const codes = codeOf(encoder(toSigned(x), y), eps);
        standard.observe(codes);
        const code_size = mean(square(codes));
        return { loss: code_size, metrics: { code_size } };
      },
    },
    {
      updates: "generator",
      parts: { generator: "flow" },
      during: windows.flow,
      optimization: flowing,
      repeats: 1,
      inputs: imagesAnd(options, {
        eps,
        noise: { role: "normal", shape: [draws * latent] },
        times: { role: "normal", shape: [draws] },
      }),
      trace({ encoder, generator: { flow, standard } }, { x, y, eps, noise, times }) {
        const code = standard.apply(codeOf(encoder(toSigned(x), y), eps));
        const target = repeatedRows(code, draws);
        const [rows] = target.shape;
        const flow_loss = matching(
          flow,
          {
            target,
            eps: reshape(noise, [rows, latent]),
            time: reshape(times, [rows, 1]),
            label: y && repeatedRows(y, draws),
          },
          { prediction: "velocity", timeMean, timeScale },
        );
        return { loss: flow_loss, metrics: { flow_loss } };
      },
    },
    ...polishPhases<LatentFlow>({
      ...options,
      noise: latent,
      drawn: (generator, z, label) => drawnByFlow(generator, { z, label }, solver),
    }),
  ];
}
