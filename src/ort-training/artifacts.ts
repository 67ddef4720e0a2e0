import { unsealed } from "../checksum.js";
import { GanOnnxError, type Text } from "../error.js";
import {
  type About,
  build,
  gradients,
  input,
  inputsBehind,
  type Model,
  mul,
  nameOfInput,
  sequenceInput,
  type Value,
  withScope,
} from "../graph/index.js";
import { bind, declarationsOf } from "../networks/index.js";
import { type Design, type Phase, updatedBy } from "../recipes/index.js";
import type { AdamOptions } from "../recipes/optimizers/index.js";
import { tensorName } from "../training/names.js";
import { batchInputs } from "../training/step-graph.js";
import { producer } from "../version.js";
import { accumulated, adamW } from "./operators.js";

/** The learning rate that ORT feeds. No API changes it, and the checkpoint's rate is ignored. */
const RUNTIME_RATE = 1e-3;

/** The generated images: an output of the generator's artifacts and an input of the discriminator's. */
export const GENERATED = "generated";
/** bool [1], true for the first batch after an update: overwrite the gradients instead of adding to them. */
export const RESET = "lazy_reset_grad";
/** The files of one network, with the names that ORT's own tools use. */
export const CHECKPOINT = "checkpoint";
/** The files that training needs, as bytes. */
export type OrtFiles = Readonly<Record<ModelFile | typeof CHECKPOINT, Uint8Array<ArrayBuffer>>>;
export type ModelFile = "training_model.onnx" | "eval_model.onnx" | "optimizer_model.onnx";

export const bufferName = (parameter: string) => `${parameter}_grad.accumulation.buffer`;
export const accumulatedName = (parameter: string) => `${parameter}_grad.accumulation.out`;

/** The inputs of an optimizer model. ORT requires these names in this order. */
export const OPTIMIZER_INPUTS = [
  "learning_rate",
  "step",
  "params",
  "gradients",
  "first_order_moments",
  "second_order_moments",
] as const;

/** The part of a design for one network, in the form of ORT's training API. */
export interface OrtArtifacts {
  readonly network: string;
  readonly training: Model;
  readonly eval: Model;
  readonly optimizer: Model;
  /** The inputs of a step, in the order in which ORT expects them: it uses positions, not names. */
  readonly inputs: readonly string[];
  /** The outputs of a step, the loss first. */
  readonly outputs: readonly string[];
  /** The names of the networks whose parameters are constant in this step. */
  readonly frozen: readonly string[];
  /** The inputs of the phase that the images are generated from, by this network or for it. */
  readonly latents: readonly string[];
}

/**
 * Why a design cannot be written for ORT's training API; undefined when it can. The API supports a model, its
 * parameters and one optimizer. Nothing else can change between steps.
 */
export function obstacle(design: Design): string | undefined {
  const { networks, phases, optimizer, schedule, averageDecay } = design;
  for (const [name, network] of Object.entries(networks)) {
    const updates = phases.filter((phase) => updatedBy(phase).includes(name)).length;
    if (updates !== 1)
      return `${updates} phases of a step update the ${name}, and its artifacts can hold one`;
    const { parameters, buffers } = declarationsOf(network);
    const [buffer] = buffers;
    const frozen = parameters.find(({ frozen }) => frozen);
    if (frozen) return `parameters of the ${name} are frozen (${frozen.name}), and its optimizer updates all`;
    if (buffer) {
      return (
        `a forward pass replaces buffers of the ${name} (${buffer.name} and others), ` +
        "and the training API replaces nothing but parameters"
      );
    }
  }
  const special = phases.find(({ updates, during, optimization }) => {
    return typeof updates !== "string" || during || optimization;
  });
  if (special) return "the training API has one optimizer for each network, which works in every step";
  if (averageDecay !== undefined) return "the training API has no place for an average of parameters (ema)";
  if (schedule) return `the training API has no place for a learning rate that changes (${schedule.name})`;
  return optimizer.adam ? undefined : `the training API has no operator for ${optimizer.name}`;
}

/**
 * The artifacts of a design: one set for each phase and the network that it updates, traced from that phase. They
 * perform one update. A phase that repeats is run several times.
 *
 * @throws {@link GanOnnxError} when there is an {@link obstacle}.
 */
export function traceForOrt(design: Design): readonly OrtArtifacts[] {
  const adam = requireOrtForm(design, "ORT training artifacts");
  return design.phases.map((phase) => artifactsOf(design, phase, adam));
}

/**
 * Check that there is no {@link obstacle}. Returns the settings of the design's optimizer.
 *
 * @param where what was requested, for messages.
 * @throws {@link GanOnnxError} (usage) when there is an obstacle.
 */
export function requireOrtForm(design: Design, where: Text): AdamOptions {
  const { adam } = design.optimizer;
  const reason = obstacle(design);
  if (reason === undefined && adam) return adam;
  throw new GanOnnxError({
    what: `the recipe does not fit: ${reason}`,
    where,
    fix: "choose another recipe, or leave it out",
    kind: "usage",
  });
}

function artifactsOf(design: Design, phase: Phase, adam: AdamOptions): OrtArtifacts {
  const [network] = updatedBy(phase);
  const { loss, outputs, entering, latents, parameters } = traced(design, phase);
  const trained = parameters.get(network) ?? [];
  const derivatives = gradients(loss, trained);
  const reset = input(RESET, "bool", [1]);
  const buffers = trained.map((value) => input(bufferName(nameOfInput(value)), "float32", value.shape));
  const accumulations = withScope("accumulators", () =>
    trained.map((value, i) => [
      accumulatedName(nameOfInput(value)),
      accumulated(buffers[i], derivatives[i], reset),
    ]),
  );

  const read = inputsBehind([...Object.values(outputs), ...derivatives]);
  const fed = entering.filter((value) => read.has(value));
  const others = [...parameters.keys()].filter(
    (name) => name !== network && parameters.get(name)?.some((value) => read.has(value)),
  );
  const weights = [trained, ...others.map((name) => parameters.get(name) ?? [])].flat();
  const about = (part: string, doc: string) => ({
    name: `${network}-${part}`,
    doc,
    producer,
    metadata: unsealed,
  });
  return {
    network,
    training: build(
      about("training", `One batch's loss and gradients for the ${network}, accumulated in its buffers.`),
      {
        inputs: [...fed, ...weights, ...buffers, reset],
        outputs: { ...outputs, ...Object.fromEntries(accumulations) },
      },
    ),
    eval: build(about("eval", `One batch's loss for the ${network}.`), {
      inputs: [...fed, ...weights],
      outputs,
    }),
    optimizer: optimizerModel(about("optimizer", `Adam for the ${network}.`), adam),
    inputs: fed.map(nameOfInput),
    outputs: Object.keys(outputs),
    frozen: others,
    latents,
  };
}

interface TracedPhase {
  readonly loss: Value;
  readonly outputs: Readonly<Record<string, Value>>;
  /** All possible inputs. Some may be unused. */
  readonly entering: readonly Value[];
  readonly latents: readonly string[];
  readonly parameters: ReadonlyMap<string, readonly Value[]>;
}

/**
 * Trace a phase with parameters as separate inputs. A phase that does not update the sampled network takes its images
 * as an input and needs no part of the network. A phase that updates it returns the images.
 */
function traced(design: Design, phase: Phase): TracedPhase {
  const { networks, exported } = design;
  const bound = Object.entries(networks).map(([name, network]) => {
    const values = declarationsOf(network).parameters.map(
      (parameter) =>
        [parameter.name, input(tensorName(name, parameter.name), "float32", parameter.shape)] as const,
    );
    const { forward } = bind(network, new Map(values), {
      training: true,
      buffers: new Map(),
      derived: (_, compute) => compute(),
    });
    return { name, forward, parameters: values.map(([, value]) => value) };
  });
  const forwards: Record<string, unknown> = Object.fromEntries(
    bound.map(({ name, forward }) => [name, forward]),
  );
  const inputs = batchInputs(design)
    .filter(({ name }) => name in phase.inputs)
    .map(({ name, dtype, inputShape }) => input(name, dtype, inputShape.slice(inputShape.indexOf("batch"))));

  let latents: readonly string[] = [];
  let image: Value | undefined;
  const shows = phase.updates === exported.network;
  const draw = forwards[exported.network];
  if (bound.length > 1 && typeof draw === "function") {
    forwards[exported.network] = (...args: readonly (Value | undefined)[]) => {
      latents = args.filter((value) => value !== undefined).map(nameOfInput);
      const made: Value = draw(...args);
      image = shows ? made : input(GENERATED, made.dtype, made.shape, `images of the ${exported.network}`);
      return image;
    };
  }
  const { loss, metrics } = phase.trace(forwards, Object.fromEntries(inputs.map((x) => [nameOfInput(x), x])));
  const lossName = Object.keys(metrics).find((name) => metrics[name] === loss) ?? "loss";
  return {
    loss,
    outputs: { [lossName]: loss, ...metrics, ...(image && shows ? { [GENERATED]: image } : {}) },
    entering: [...inputs, ...(image && !shows ? [image] : [])],
    latents,
    parameters: new Map(bound.map(({ name, parameters }) => [name, parameters])),
  };
}

function optimizerModel(about: About, adam: AdamOptions): Model {
  const rate = input(OPTIMIZER_INPUTS[0], "float32", [1], `${RUNTIME_RATE}`);
  const step = input(OPTIMIZER_INPUTS[1], "int64", [1], "the number of this update, counted from 1");
  const sequences = OPTIMIZER_INPUTS.slice(2).map((name) => sequenceInput(name, "float32"));
  const updated = adamW([mul(rate, adam.learningRate / RUNTIME_RATE), step, ...sequences], {
    alpha: adam.beta1,
    beta: adam.beta2,
    epsilon: adam.epsilon,
    weight_decay: 0, // The operator's default is AdamW's 0.01.
    adam_mode: 0,
    correct_bias: 1,
  });
  return build(about, { inputs: [rate, step, ...sequences], outputs: { updated } });
}
