import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ort from "onnxruntime-node";
import { messageOf } from "../../src/error.js";
import { constant, gradients, mul, nameOfInput, sum, type Value } from "../../src/graph/index.js";
import { zerosLike } from "../../src/graph/ops/shape.js";
import { isFloat } from "../../src/graph/value.js";
import { encodeModel } from "../../src/onnx/index.js";
import { optionsFor, type ProviderName } from "../../src/runtime/providers.js";
import type { Tensor } from "../../src/tensors/tensor.js";
import { generator } from "./check-gradients.js";
import { differentiable, movedBy, outputVector } from "./conformance.js";
import { type OnnxCase, readCase } from "./onnx-cases.js";
import { modelOf } from "./run.js";

/** The operator of a case that consists of one operator and constants. */
export function onlyOperator(operators: readonly string[]): string | undefined {
  const [only, ...others] = new Set(operators.filter((name) => name !== "Constant"));
  return others.length === 0 ? only : undefined;
}

/** What a provider made of a case's outputs and gradients. */
export interface ProviderOutcome {
  /** Why it failed, or how its results differ from those of the CPU; undefined when they agree. */
  readonly why?: string;
  /** The nodes on float32 that the CPU ran instead, by operator. */
  readonly onCpu: readonly string[];
}

/**
 * Compute a case's outputs and the gradient of a random sum of them on another provider, and compare them with the
 * CPU's. Undefined if the case has no numbers of float32, which is the only floating type that GPUs compute here.
 */
export async function tryOn(
  ep: ProviderName,
  folder: string,
  name: string,
): Promise<ProviderOutcome | undefined> {
  const each = readCase(folder, name);
  const all = [...each.read.inputs, ...each.read.outputs.values()];
  if (!all.some(({ dtype }) => dtype === "float32") || all.some(({ dtype }) => dtype === "float64"))
    return undefined;
  const model = encodeModel(modelOf(withGradients(each)));
  const random = generator(7);
  const feeds = each.read.inputs.map((value, i): [string, Tensor] => [
    nameOfInput(value),
    // At a jump of a slope the two may differ.
    movedBy(each.inputs[i], 0.03, random),
  ]);
  const expected = await runOn("cpu", model, feeds);
  try {
    const found = await runOn(ep, model, feeds);
    return { why: differs(found.results, expected.results), onCpu: found.onCpu };
  } catch (error) {
    return { why: messageOf(error).split("\n")[0], onCpu: [] };
  }
}

function withGradients(each: OnnxCase): Record<string, Value> {
  const { read } = each;
  const outputs = Object.fromEntries([...read.outputs.values()].map((y, i) => [`out/${i}`, y]));
  if (!differentiable(each)) return outputs;
  const random = generator(7);
  try {
    const y = outputVector(each, read.inputs, "float32");
    const weights = Float32Array.from({ length: Number(y.shape[0]) }, () => 2 * random() - 1);
    const xs = read.inputs.filter(({ dtype }) => isFloat(dtype));
    const slopes = gradients(sum(mul(y, constant("float32", [weights.length], weights))), xs, {
      unused: zerosLike,
    });
    return { ...outputs, ...Object.fromEntries(slopes.map((slope, i) => [`slope/${i}`, slope])) };
  } catch {
    return outputs; // The sweep on the CPU tells why.
  }
}

async function runOn(ep: ProviderName, model: Uint8Array, feeds: readonly (readonly [string, Tensor])[]) {
  const folder = await mkdtemp(join(tmpdir(), "gan-onnx-conformance-"));
  try {
    const session = await ort.InferenceSession.create(model, {
      ...(await optionsFor(model, ep, { cpuNodes: true, threads: 1 })),
      logSeverityLevel: 4,
      // The profile names the provider of every node that was run.
      ...(ep !== "cpu" && { enableProfiling: true, profileFilePrefix: join(folder, "profile") }),
    });
    try {
      const used = feeds.filter(([name]) => session.inputNames.includes(name));
      const results = await session.run(
        Object.fromEntries(
          used.map(([name, { dtype, data, shape }]) => [
            name,
            new ort.Tensor(dtype, data as Float32Array, shape),
          ]),
        ),
      );
      if (ep === "cpu") return { results, onCpu: [] };
      session.endProfiling();
      const [file] = await readdir(folder);
      return { results, onCpu: cpuNodesIn(await readFile(join(folder, file), "utf8")) };
    } finally {
      await session.release();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface ProfileEvent {
  readonly cat: string;
  readonly args?: {
    readonly op_name?: string;
    readonly provider?: string;
    readonly input_type_shape?: readonly Readonly<Record<string, unknown>>[];
    readonly output_type_shape?: readonly Readonly<Record<string, unknown>>[];
  };
}

/** The operators of the nodes that the CPU ran and that read or made float32, in a profile of ONNX Runtime. */
function cpuNodesIn(profile: string): readonly string[] {
  const events = JSON.parse(profile) as readonly ProfileEvent[];
  const found = events.flatMap(({ cat, args }) => {
    if (cat !== "Node" || args?.provider !== "CPUExecutionProvider" || !args.op_name) return [];
    const types = [...(args.input_type_shape ?? []), ...(args.output_type_shape ?? [])];
    return types.some((type) => "float" in type) ? [args.op_name] : [];
  });
  return [...new Set(found)].filter((name) => !/^Memcpy/.test(name)).sort();
}

type Results = Readonly<Record<string, { readonly data: unknown }>>;

function differs(found: Results, expected: Results): string | undefined {
  for (const [name, { data }] of Object.entries(expected)) {
    const [a, b] = [found[name].data, data].map((each) => Array.from(each as Float32Array, Number));
    const largest = b.reduce(
      (most, each) => (Number.isFinite(each) ? Math.max(most, Math.abs(each)) : most),
      1,
    );
    // Outside of a function's domain results are undefined.
    const worst = b.findIndex((each, i) =>
      Number.isFinite(each)
        ? !(Math.abs(a[i] - each) <= 1e-3 * largest)
        : !Number.isNaN(each) && a[i] !== each,
    );
    if (worst >= 0) return `${name} is ${a[worst]}, not ${b[worst]}`;
  }
  return undefined;
}
