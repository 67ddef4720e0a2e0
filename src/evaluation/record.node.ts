import { type Design, pixelsOf } from "../recipes/index.js";
import { onnxruntimeVersion } from "../runtime/provider-findings.node.js";
import { Session, type SessionPlace } from "../runtime/session.node.js";
import { randomStream } from "../tensors/random.js";
import { encodeSafetensors } from "../tensors/safetensors.js";
import type { Tensor, Tensors } from "../tensors/tensor.js";
import { feedsOfBlock, orderOfEpoch } from "../training/batches.js";
import { tensorName } from "../training/names.js";
import { initialState, namedTensors, withSteps } from "../training/state.js";
import type { StepGraph } from "../training/step-graph.js";
import { formats, producer } from "../version.js";

/**
 * Record a trajectory: a safetensors file in the form that `followTrajectory` reads. The images are noise, and their
 * classes are drawn at random, so a record needs no data.
 *
 * A record shows whether another machine, execution provider or version computes the same. It does not show that the
 * result is correct: that would need a record of another implementation.
 *
 * @param steps number of training steps.
 * @param batchSize images in a batch.
 * @param seed random seed of weights, images, labels and noise.
 * @param settings the settings of the recipe, which go into the metadata, so that the record can be replayed without them.
 */
export async function recordTrajectory(
  {
    design,
    graph,
    model,
    place,
  }: { design: Design; graph: StepGraph; model: Uint8Array; place: SessionPlace },
  {
    steps,
    batchSize,
    seed,
    settings,
  }: { steps: number; batchSize: number; seed: number; settings: Readonly<Record<string, unknown>> },
): Promise<Uint8Array<ArrayBuffer>> {
  const repeats = Math.max(...graph.batches.map(({ repeats }) => repeats));
  const count = steps * batchSize * repeats;
  const classes = design.exported.classes ?? 1;
  const bytes = (name: string, length: number, below: number) => {
    const random = randomStream(seed, "record", name);
    return Uint8Array.from({ length }, () => random.below(below));
  };
  const dataset = {
    name: "noise",
    count,
    ...design.image,
    images: bytes("images", count * pixelsOf(design.image), 256),
    labels: bytes("labels", count, classes),
  };
  const keys = { seed, epoch: 1, order: orderOfEpoch(seed, 1, count) };
  const feeds = feedsOfBlock(graph.batches, dataset, keys, { firstStep: 0, steps, batchSize }, batchSize);
  const start = withSteps(design, initialState(design, seed), steps);

  const session = await Session.open(model, place, "train.onnx");
  try {
    await session.setState(start);
    const outputs = await session.run(feeds);
    const tensors: Tensors = new Map([
      ...feeds,
      ...parametersAs("init", design, start),
      ...[...outputs].map(([name, { data }]): [string, Tensor] => [
        name,
        { dtype: "float64", shape: [data.length], data: Float64Array.from(data, Number) },
      ]),
      ...parametersAs("final", design, await session.getState()),
    ]);
    return encodeSafetensors(tensors, {
      format: formats.trajectory,
      settings: JSON.stringify(settings),
      producer: `${producer.name} ${producer.version}, ONNX Runtime ${onnxruntimeVersion()}, ${place.ep}`,
    });
  } finally {
    await session.close();
  }
}

/** The parameters and buffers of all networks, by the names that records have for them. */
function parametersAs(when: "init" | "final", design: Design, state: Tensors): [string, Tensor][] {
  return Object.keys(design.networks).flatMap((network) =>
    [...namedTensors(design, network, state)].map(([name, { dtype, shape, data }]): [string, Tensor] => [
      `${when}.${tensorName(network, name)}`,
      { dtype, shape, data: data.slice() } as Tensor,
    ]),
  );
}
