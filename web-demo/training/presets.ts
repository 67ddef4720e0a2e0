import { hurried, type RecipeName } from "../../src/recipes/index.js";

/** A suggested training: a recipe with settings that demonstrate it. */
export interface Preset {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly recipe: RecipeName;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The first one is started by a single click: the one whose digits come soonest (bench/README.md, "Learning in the page"). */
export const presets: readonly Preset[] = [
  {
    id: "learns",
    title: "It learns (VAE)",
    about:
      "An autoencoder squeezes each picture into 20 numbers and draws it again from them. Then any 20 numbers give a picture. Digits come within seconds, a little blurred.",
    recipe: "vae",
    settings: {},
  },
  {
    id: "plays",
    title: "Two play (GAN)",
    about:
      "One network makes pictures, the other tells them from real ones, and each learns from the other. Blobs first, then strokes, after some minutes digits.",
    recipe: "vanilla",
    settings: hurried,
  },
  {
    id: "balances",
    title: "It balances",
    about:
      "The discriminator is held back: it sees noisy pictures and is never told to be quite sure. Neither side wins.",
    recipe: "vanilla",
    settings: { learningRate: 1e-3, beta1: 0.5, labelSmoothing: 0.1, instanceNoise: 0.2 },
  },
  {
    id: "collapses",
    title: "It collapses",
    about:
      "Steps that are too large: the generator finds one picture that works and draws it again and again. This is mode collapse.",
    recipe: "vanilla",
    settings: { learningRate: 4e-3, beta1: 0.9 },
  },
  {
    id: "wgan",
    title: "WGAN",
    about:
      "The Wasserstein GAN: the discriminator gives marks without a limit, five times for each step of the generator. Slow and steady.",
    recipe: "wgan-gp",
    settings: { learningRate: 5e-4 },
  },
  {
    id: "conditional",
    title: "Told what to draw",
    about:
      "Convolutional networks that are told which digit to draw: 0 to 9 in turn, from left to right. The best pictures, and the slowest.",
    recipe: "conditional",
    settings: {},
  },
];
