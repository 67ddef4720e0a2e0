import { checkSeal } from "../checksum.js";
import { GanOnnxError, messageOf } from "../error.js";
import { isStatic, type Shape, sameShape } from "../graph/index.js";
import { type ModelSummary, summarizeModel } from "../onnx/index.js";
import {
  accumulatedName,
  bufferName,
  CHECKPOINT,
  type ModelFile,
  OPTIMIZER_INPUTS,
  type OrtFiles,
  RESET,
} from "./artifacts.js";
import { decodeOrtCheckpoint } from "./checkpoint.js";

/** The newest versions that ORT 1.19 reads. It refuses newer files with an error number only. */
const NEWEST = { irVersion: 10, opset: 21 };

/** The inputs and outputs of a network's artifacts for the user. */
export interface OrtInterface {
  /** The inputs of a step, in order. */
  readonly inputs: readonly string[];
  /** The outputs of a step, in order. */
  readonly outputs: readonly string[];
}

/**
 * Check the files of one network against each other, by the rules of ORT's loader.
 *
 * @param where the name of their folder for messages.
 * @throws {@link GanOnnxError} when the loader would refuse a file.
 */
export function checkFiles(files: OrtFiles, where: string): OrtInterface {
  const refuse = (file: keyof OrtFiles, what: string, cause?: unknown) =>
    new GanOnnxError({
      what,
      where: `${where}/${file}`,
      fix: "write all four files of the folder again with `gan-onnx build-graphs`",
      cause,
    });
  const read = (file: ModelFile): ModelSummary => {
    try {
      const summary = summarizeModel(files[file]);
      checkSeal(files[file], summary.metadata, `${where}/${file}`);
      const { irVersion, opsets } = summary;
      if (irVersion > NEWEST.irVersion || opsets[""] > NEWEST.opset) {
        throw new Error(
          `it has IR version ${irVersion} and opset ${opsets[""]}, which ORT 1.19 does not know`,
        );
      }
      return summary;
    } catch (cause) {
      if (cause instanceof GanOnnxError) throw cause;
      throw refuse(file, `is not a model for ORT's training API (${messageOf(cause)})`, cause);
    }
  };
  const { trained, frozen } = decodeOrtCheckpoint(files[CHECKPOINT], `${where}/${CHECKPOINT}`);
  const training = read("training_model.onnx");
  const evaluation = read("eval_model.onnx");
  const optimizer = read("optimizer_model.onnx");

  const shapes = new Map(training.inputs.map(({ name, shape }) => [name, shape] as const));
  const need = (name: string, shape: Shape) => {
    const found = shapes.get(name);
    if (found && sameShape(found, shape)) return;
    const what = found
      ? `takes ${name} as [${found}], and the checkpoint has [${shape}]`
      : `has no input ${name}`;
    throw refuse("training_model.onnx", what);
  };
  for (const [name, { shape }] of [...trained, ...frozen]) need(name, shape);
  for (const [name, { shape }] of trained) need(bufferName(name), shape);
  need(RESET, [1]);

  const buffers = new Set([...trained.keys()].map(bufferName));
  const own = (name: string) => name !== RESET && !buffers.has(name);
  const parameter = (name: string) => trained.has(name) || frozen.has(name);
  const shared = names(training.inputs).filter(own);
  const inputs = shared.filter((name) => !parameter(name));
  // User inputs have a batch dimension. An input without one is a parameter or its buffer, and the checkpoint must have
  // it.
  const stray = inputs.find((name) => isStatic(shapes.get(name) ?? []));
  if (stray !== undefined)
    throw refuse(CHECKPOINT, `has no parameter for ${stray}, an input of the training model`);

  const accumulations = new Set([...trained.keys()].map(accumulatedName));
  for (const name of accumulations) {
    if (!names(training.outputs).includes(name)) throw refuse("training_model.onnx", `has no output ${name}`);
  }
  const outputs = names(training.outputs).filter((name) => !accumulations.has(name));
  same("eval_model.onnx", "inputs", names(evaluation.inputs), shared);
  same("eval_model.onnx", "outputs", names(evaluation.outputs), outputs);
  same("optimizer_model.onnx", "inputs", names(optimizer.inputs), OPTIMIZER_INPUTS);
  if (optimizer.operators.filter((type) => type === "AdamWOptimizer").length !== 1) {
    throw refuse("optimizer_model.onnx", "has not exactly one AdamWOptimizer");
  }
  return { inputs, outputs };

  function same(file: ModelFile, what: string, found: readonly string[], expected: readonly string[]): void {
    if (found.length === expected.length && found.every((name, i) => name === expected[i])) return;
    throw refuse(file, `has the ${what} ${found.join(", ")} instead of ${expected.join(", ")}`);
  }
}

function names(values: readonly { readonly name: string }[]): string[] {
  return values.map(({ name }) => name);
}
