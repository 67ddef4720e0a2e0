import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ort from "onnxruntime-node";
import { GanOnnxError, messageOf } from "../../src/error.js";
import {
  add,
  build,
  cast,
  constant,
  gradients,
  isStatic,
  mul,
  sum,
  type Value,
} from "../../src/graph/index.js";
import { zerosLike } from "../../src/graph/ops/shape.js";
import { isFloat } from "../../src/graph/value.js";
import { encodeModel } from "../../src/onnx/encode.js";
import { onnx } from "../../src/onnx/proto.js";
import { type ReadModel, readModel } from "../../src/onnx/read.js";
import { tensorIn } from "../../src/onnx/tensors-in.js";
import { sizeOf, type Tensor } from "../../src/tensors/tensor.js";

/**
 * What came of a case of ONNX's backend tests (https://github.com/onnx/onnx/blob/main/docs/ONNXBackendTest.md). A
 * gradient is `none` where there is nothing to differentiate: integers go in or come out, or slopes are 0.
 */
export type Outcome =
  | { readonly kind: "passed"; readonly gradient: "checked" | "none" }
  | { readonly kind: "not supported"; readonly why: string }
  | { readonly kind: "failed"; readonly why: string };

/** The names of the cases in a folder: `onnx/backend/test/data/node` of the PyPI package. */
export function casesIn(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, "model.onnx")));
}

/** Read a case's model, write it, run it, compare; then check its gradients along a direction, by differences. */
export async function tryCase(folder: string, name: string): Promise<Outcome> {
  let read: ReadModel;
  let recorded: { inputs: Tensor[]; outputs: Tensor[] };
  try {
    read = readModel(new Uint8Array(readFileSync(join(folder, name, "model.onnx"))), { source: name });
    recorded = { inputs: tensors(folder, name, "input"), outputs: tensors(folder, name, "output") };
  } catch (error) {
    return error instanceof GanOnnxError ? { kind: "not supported", why: reasonOf(error) } : failed(error);
  }
  try {
    return await compare(read, recorded);
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): Outcome {
  return { kind: "failed", why: messageOf(error) };
}

/** What was wrong, without the name of the case and the node. */
function reasonOf({ parts: { where, what } }: GanOnnxError): string {
  const operator = /\((.*), opset/.exec(where)?.[1];
  return operator === undefined ? what : `${operator}: ${what}`;
}

/** The tensors of a case, which lie in files of their own. */
function tensors(folder: string, name: string, kind: "input" | "output"): Tensor[] {
  const data = join(folder, name, "test_data_set_0");
  const count = readdirSync(data).filter((file) => file.startsWith(`${kind}_`)).length;
  return Array.from({ length: count }, (_, i) => {
    const proto = onnx.TensorProto.decode(new Uint8Array(readFileSync(join(data, `${kind}_${i}.pb`))));
    return tensorIn(proto, proto.name, proto.dims.map(Number), { name: `${kind}_${i}.pb` });
  });
}

const about = { name: "conformance", doc: "", producer: { name: "gan-onnx", version: "test" } };

async function run(
  outputs: ReadonlyMap<string, Value>,
  inputs: readonly Value[],
  feeds: readonly (readonly Tensor[])[],
) {
  const session = await ort.InferenceSession.create(encodeModel(build(about, { inputs, outputs })), {
    executionProviders: ["cpu"],
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  try {
    const results: (readonly ort.Tensor[])[] = [];
    for (const given of feeds) {
      const named = given.map(({ dtype, data, shape }, i): [string, ort.Tensor] => [
        session.inputNames[i],
        new ort.Tensor(dtype, data as Float32Array, shape),
      ]);
      const found = await session.run(Object.fromEntries(named));
      results.push([...outputs.keys()].map((name) => found[name]));
    }
    return results;
  } finally {
    await session.release();
  }
}

async function compare(
  read: ReadModel,
  { inputs, outputs }: { inputs: Tensor[]; outputs: Tensor[] },
): Promise<Outcome> {
  // An input may be passed through under its own name.
  const named = new Map([...read.outputs.values()].map((value, i) => [`out/${i}`, value]));
  const [found] = await run(named, read.inputs, [inputs]);
  for (const [i, expected] of outputs.entries()) {
    const why = differs(found[i], expected);
    if (why) return { kind: "failed", why: `output ${i}: ${why}` };
  }
  const xs = read.inputs.filter(({ dtype }) => isFloat(dtype));
  const ys = [...read.outputs.values()].filter(({ dtype, shape }) => isFloat(dtype) && isStatic(shape));
  if (xs.length === 0 || ys.length === 0) return { kind: "passed", gradient: "none" };
  return checkGradients(read, ys, inputs);
}

function differs(found: ort.Tensor, expected: Tensor): string | undefined {
  const [a, b] = [
    Array.from(found.data as Float32Array, Number),
    Array.from(expected.data as Float32Array, Number),
  ];
  if (found.dims.join() !== expected.shape.join()) return `shape [${found.dims}], not [${expected.shape}]`;
  const worst = b.findIndex((each, i) => {
    if (Number.isNaN(each) || !Number.isFinite(each)) return !Object.is(a[i], each);
    return !(Math.abs(a[i] - each) <= 1e-5 + 1e-3 * Math.abs(each));
  });
  return worst < 0 ? undefined : `${a[worst]}, not ${b[worst]}, at ${worst}`;
}

/** dL/dx · v against (L(x + hv) - L(x - hv)) / 2h for L = Σ w·y, with random v and w. */
async function checkGradients(
  read: ReadModel,
  ys: readonly Value[],
  inputs: readonly Tensor[],
): Promise<Outcome> {
  const random = generator(7);
  const weighted = ys.map((y) => {
    const shape = y.shape as readonly number[];
    const data = Float64Array.from({ length: sizeOf(shape) }, () => 2 * random() - 1);
    return sum(mul(y.dtype === "float64" ? y : cast(y, { to: "float64" }), constant("float64", shape, data)));
  });
  const loss = weighted.reduce((a, b) => add(a, b));
  const xs = read.inputs.filter(({ dtype }) => isFloat(dtype));
  let slopes: readonly Value[];
  try {
    slopes = gradients(loss, xs, { unused: zerosLike });
  } catch (error) {
    if (error instanceof GanOnnxError && error.message.includes("does not depend on x")) {
      return { kind: "passed", gradient: "none" };
    }
    return failed(error);
  }
  const directions = inputs.map(({ dtype, data }) =>
    isFloat(dtype) ? Array.from(data as Float32Array, () => 2 * random() - 1) : [],
  );
  const at = (h: number) =>
    inputs.map((tensor, i): Tensor => {
      if (tensor.dtype !== "float32" && tensor.dtype !== "float64") return tensor;
      const data = tensor.data.map((each, j) => each + h * directions[i][j]);
      return { ...tensor, data } as Tensor;
    });
  const steps = [2 ** -7, 2 ** -10, 2 ** -5];
  const points = [at(0), ...steps.flatMap((h) => [at(h), at(-h)])];
  const results = await run(
    new Map([["loss", loss], ...slopes.map((g, i): [string, Value] => [`slope/${i}`, g])]),
    read.inputs,
    points,
  );
  const losses = results.map(([loss]) => Number(loss.data[0]));
  const floats = inputs.flatMap(({ dtype }, i) => (isFloat(dtype) ? [i] : []));
  let [analytic, scale] = [0, 0];
  floats.forEach((input, k) => {
    Array.from(results[0][k + 1].data as Float32Array, Number).forEach((g, j) => {
      analytic += g * directions[input][j];
      scale += (g * directions[input][j]) ** 2;
    });
  });
  const tolerance = 0.02 * Math.max(Math.abs(analytic), Math.sqrt(scale)) + 1e-3;
  const numeric = steps.map((h, i) => (losses[2 * i + 1] - losses[2 * i + 2]) / (2 * h));
  if (numeric.some((each) => Math.abs(each - analytic) <= tolerance))
    return { kind: "passed", gradient: "checked" };
  return { kind: "failed", why: `gradient ${analytic}, differences ${numeric.join(" ")}` };
}

/** mulberry32, by Tommy Ettinger (public domain). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
