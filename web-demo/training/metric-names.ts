import type { Word } from "../ui/curves.js";

/** The names and line styles of all metrics of the recipes. */
export const metricNames: Readonly<Record<string, Word>> = {
  loss: { text: "loss", style: 0 },
  d_loss: { text: "loss of the discriminator", style: 1 },
  g_loss: { text: "loss of the generator", style: 0 },
  vae_loss: { text: "loss of the autoencoder", style: 2 },
  prior_loss: { text: "loss of the distribution of codes", style: 1 },
  class_loss: { text: "loss of the discriminator as a classifier", style: 2 },
  asked_loss: { text: "loss of the class that was asked for", style: 2 },
  classifier_loss: { text: "loss of the discriminator as a classifier, at first", style: 2 },
  flow_loss: { text: "loss of the flow", style: 1 },
  real_score: { text: "real ones taken for real", style: 1 },
  fake_score: { text: "generated ones taken for real", style: 0 },
  accuracy: { text: "right answers", style: 1 },
  reconstruction: { text: "error of the pictures", style: 1 },
  polish_error: { text: "error of the pictures, in the duel", style: 2 },
  kl: { text: "distance from random numbers", style: 0 },
  code_size: { text: "size of the codes", style: 2 },
  wasserstein: { text: "marks of real ones above those of generated ones", style: 1 },
  margin: { text: "marks of real ones above those of generated ones", style: 1 },
  gradient_penalty: { text: "penalty for a steep discriminator", style: 0 },
  r1: { text: "penalty for a discriminator that is steep at real ones", style: 2 },
  r2: { text: "penalty for one that is steep at generated ones", style: 0 },
};
