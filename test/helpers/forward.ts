import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import ort from "onnxruntime-node";
import {
  type Differentiated,
  type DifferentiateOptions,
  differentiate,
} from "../../src/onnx/differentiate.js";
import { encodeModel } from "../../src/onnx/index.js";
import { decodeSafetensors } from "../../src/tensors/safetensors.js";
import { type Tensor, type Tensors, tensorIn } from "../../src/tensors/tensor.js";

const folder = process.env.GAN_ONNX_TEST_FORWARD ?? resolve("..", "shared", "forward", "data");

/** The models in `shared/forward`, without `.onnx`, and the text in the name of a skipped test if they are missing. */
export const forwardModels: readonly string[] = existsSync(folder)
  ? readdirSync(folder).flatMap((name) => (name.endsWith(".onnx") ? [name.slice(0, -".onnx".length)] : []))
  : [];
export const forwardMissing = forwardModels.length === 0 ? ` (skipped: no models in ${folder})` : "";

/** The largest difference to the record, relative to the largest element of its tensor. */
export interface Agreement {
  readonly name: string;
  readonly error: number;
}

/** A model of {@link forwardModels}, differentiated, with its record. */
export async function readForward(name: string, options: DifferentiateOptions = {}) {
  const path = join(folder, `${name}.onnx`);
  const record = join(folder, `${name.replace(/@.*/, "")}.safetensors`);
  const bytes = new Uint8Array(await readFile(path));
  const made = differentiate(
    bytes,
    { name: "gan-onnx", version: "test" },
    { source: path, withRespectTo: "all", ...options },
  );
  return { made, record: decodeSafetensors(new Uint8Array(await readFile(record)), record).tensors };
}

/** Compare a differentiated model with its record: its output, and every gradient that both have. */
export async function agreements(
  made: Differentiated,
  record: Tensors,
  providers: readonly string[] = ["cpu"],
): Promise<Agreement[]> {
  const session = await ort.InferenceSession.create(encodeModel(made.model), {
    executionProviders: [...providers],
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const feeds: Record<string, ort.Tensor> = {};
  for (const { name } of made.model.graph.inputs) {
    const given =
      made.read.tensors.get(name) ?? tensorIn(record, name === "gradient/y" ? "seed" : `input.${name}`);
    feeds[name] = new ort.Tensor(given.dtype, given.data as Float32Array, given.shape);
  }
  const results = await session.run(feeds);
  await session.release();
  return [["output", "y"], ...made.gradients.map((name) => [`grad.${name}`, `gradient/${name}`])].flatMap(
    ([recorded, output]) => {
      const expected = record.get(recorded);
      if (!expected) return [];
      // The gradient of a scalar output is 1, not the seed of the record.
      const scale = recorded !== "output" && made.seeds.length === 0 ? tensorIn(record, "seed").data[0] : 1;
      return [{ name: recorded, error: difference(results[output], expected, Number(scale)) }];
    },
  );
}

function difference(found: ort.Tensor, expected: Tensor, scale: number): number {
  if (found.data.length !== expected.data.length) return Number.POSITIVE_INFINITY;
  const [a, b] = [found.data as Float32Array, expected.data as Float32Array];
  const largest = b.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  const worst = b.reduce((most, each, i) => {
    const error = Math.abs(scale * a[i] - each);
    return error <= most ? most : error; // NaN is worse than any number
  }, 0);
  return worst / (largest || 1);
}
