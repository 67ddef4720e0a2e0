import { chosen, type Dataset } from "../data/dataset.js";
import { encodeModel } from "../onnx/index.js";
import type { Classifier, Design, Sampler } from "../recipes/index.js";
import type { LoadedModel, OpenModel } from "../runtime/engine.js";
import { randomStream, shuffled } from "../tensors/random.js";
import type { Tensors } from "../tensors/tensor.js";
import { classify } from "../training/classify.js";
import { buildInference } from "../training/inference.js";
import type { Examiner } from "../training/training.js";
import { generated } from "./generated.js";
import type { Judge } from "./judge.js";
import { type Reference, Scorer } from "./scores.js";
import { warningsOf } from "./warnings.js";

/** The network of a training in a session. Each call gets a state. */
async function inferenceOf(design: Design, open: OpenModel) {
  const model = buildInference(design, { doc: "Scores a training." });
  const session = await open(encodeModel(model), "the network to score");
  const inputs = new Set(model.graph.inputs.map(({ name }) => name));
  const on = (state: Tensors): LoadedModel => ({
    run: (feeds) => session.run(new Map([...feeds, ...[...state].filter(([name]) => inputs.has(name))])),
    close: () => session.close(),
  });
  return { on, close: () => session.close() };
}

/** Computes the accuracy of a classifier on held-out images after every epoch. */
export async function accuracyExaminer(
  design: Design,
  classifier: Classifier,
  heldOut: Dataset,
  open: OpenModel,
): Promise<Examiner> {
  const network = await inferenceOf(design, open);
  return {
    async examine(state, epoch) {
      const { classes } = await classify(network.on(state), heldOut, classifier.range);
      const right = classes.filter((label, i) => label === heldOut.labels?.[i]).length;
      return { epoch, scores: { held_out_accuracy: right / heldOut.count }, warnings: [] };
    },
    close: network.close,
  };
}

/** Computes scores of samples, as `evaluate` does, every few epochs. */
export async function sampleExaminer(
  design: Design,
  sampler: Sampler,
  options: {
    judge: Judge;
    dataset: Dataset;
    every: number;
    samples: number;
    seed: number;
    open: OpenModel;
  },
): Promise<Examiner> {
  const { judge, dataset, every, seed, open } = options;
  const samples = Math.min(options.samples, Math.floor(dataset.count / 2));
  const network = await inferenceOf(design, open);
  const scorer = new Scorer(judge, open);
  let reference: Reference | undefined;
  return {
    async examine(state, epoch) {
      if (epoch % every !== 0) return undefined;
      if (!reference) {
        const order = shuffled(randomStream(seed, "evaluate", "real"), dataset.count);
        reference = await scorer.reference(chosen(dataset, order.subarray(0, samples)));
      }
      const drawn = { count: samples, seed, name: "samples" };
      const images = await generated(network.on(state), { ...sampler, image: design.image }, drawn);
      const { classes, ...scores } = await scorer.scores(images, reference);
      return {
        epoch,
        scores: { ...scores, samples },
        classes,
        warnings: warningsOf({ ...scores, classes }, reference.classes),
      };
    },
    async close() {
      await Promise.all([network.close(), scorer.close(), judge.close()]);
    },
  };
}
