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
  nameOfInput,
  sum,
  type Value,
  where,
} from "../../src/graph/index.js";
import { zerosLike } from "../../src/graph/ops/shape.js";
import { isFloat } from "../../src/graph/value.js";
import { encodeModel } from "../../src/onnx/encode.js";
import { onnx } from "../../src/onnx/proto.js";
import { type ReadModel, readModel } from "../../src/onnx/read.js";
import { listNodes } from "../../src/onnx/summary.js";
import { tensorIn } from "../../src/onnx/tensors-in.js";
import { sizeOf, type Tensor } from "../../src/tensors/tensor.js";

/**
 * The result of one of ONNX's backend tests (https://github.com/onnx/onnx/blob/main/docs/ONNXBackendTest.md). The
 * gradient is `none` if there is nothing to differentiate: inputs or outputs are integers, or slopes are 0.
 */
export type Outcome =
  | {
      readonly kind: "passed";
      readonly gradient: "checked" | "none" | "not supported";
      /** The operators of the case. */
      readonly operators: readonly string[];
    }
  | { readonly kind: "not supported"; readonly why: string }
  | { readonly kind: "failed"; readonly why: string };

/** The names of the cases in a folder: `onnx/backend/test/data/node` of the PyPI package. */
export function casesIn(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, "model.onnx")));
}

/** Cases with other results in ONNX Runtime: it uses the rounded size, as PyTorch does. */
const disputed = /^test_resize_downsample_scales_(linear|cubic)_align_corners$/;

/** Read a case's model, write it, run it, compare; then check its gradients along a direction, by differences. */
export async function tryCase(folder: string, name: string): Promise<Outcome> {
  let read: ReadModel;
  let recorded: Recorded;
  try {
    const bytes = new Uint8Array(readFileSync(join(folder, name, "model.onnx")));
    const inputs = tensors(folder, name, "input");
    read = readCase(bytes, name, inputs);
    const names = read.inputs.map(nameOfInput);
    recorded = {
      inputs: names.map((name) => inputs.get(name) as Tensor),
      outputs: [...tensors(folder, name, "output").values()],
    };
  } catch (error) {
    return error instanceof GanOnnxError ? { kind: "not supported", why: reasonOf(error) } : failed(error);
  }
  try {
    const outcome = await compare(name, read, recorded);
    const bytes = new Uint8Array(readFileSync(join(folder, name, "model.onnx")));
    return outcome.kind === "passed"
      ? { ...outcome, operators: listNodes(bytes).map(({ operator }) => operator) }
      : outcome;
  } catch (error) {
    return failed(error);
  }
}

interface Recorded {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** Read a case. Inputs such as axes, shapes and scales become constants, because graphs with known shapes need them. */
function readCase(bytes: Uint8Array, source: string, inputs: ReadonlyMap<string, Tensor>): ReadModel {
  try {
    return readModel(bytes, { source });
  } catch (error) {
    const whole = [...inputs].filter(([, { dtype }]) => !isFloat(dtype));
    const scalars = [...inputs].filter(([, { shape }]) => shape.length === 0);
    for (const constants of [whole, [...whole, ...scalars], [...inputs].slice(1)]) {
      try {
        const given = new Map(constants.map(([name, tensor]) => [name, constantOf(tensor)]));
        const read = readModel(bytes, { source, given });
        return { ...read, inputs: read.inputs.filter((value) => !given.has(nameOfInput(value))) };
      } catch {}
    }
    throw error;
  }
}

function constantOf({ dtype, shape, data }: Tensor): Value {
  return constant(dtype, shape, data);
}

function failed(error: unknown): Outcome {
  return { kind: "failed", why: messageOf(error) };
}

/** What was wrong, without the names of the case and the node. */
function reasonOf(error: GanOnnxError): string {
  const message = messageOf(error);
  const [, operator, what] = /\((\S+), opset \d+\): (.*); /.exec(message) ?? [];
  if (operator !== undefined) return `${operator}: ${what}`;
  if (/has 0 elements and the shape|is no tensor/.test(message)) return "sequences and optional values";
  return message.replace(/; .*$/, "").replace(/^.*: /, "");
}

/** The tensors of a case, which are in separate files. */
function tensors(folder: string, name: string, kind: "input" | "output"): ReadonlyMap<string, Tensor> {
  const data = join(folder, name, "test_data_set_0");
  const count = readdirSync(data).filter((file) => file.startsWith(`${kind}_`)).length;
  const each = Array.from({ length: count }, (_, i): [string, Tensor] => {
    const proto = onnx.TensorProto.decode(new Uint8Array(readFileSync(join(data, `${kind}_${i}.pb`))));
    const tensor = tensorIn(proto, proto.name, proto.dims.map(Number), { name: `${kind}_${i}.pb` });
    return [proto.name, tensor];
  });
  return new Map(each);
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

async function compare(name: string, read: ReadModel, { inputs, outputs }: Recorded): Promise<Outcome> {
  // An input may be passed through under its own name.
  const named = new Map([...read.outputs.values()].map((value, i) => [`out/${i}`, value]));
  const [found] = await run(named, read.inputs, [inputs]);
  for (const [i, expected] of outputs.entries()) {
    const why = differs(found[i], expected);
    if (why && disputed.test(name)) {
      return { kind: "not supported", why: "ONNX Runtime gives the same, which is not what is recorded" };
    }
    if (why && read.notes.length > 0) return { kind: "not supported", why: read.notes.join(", ") };
    if (why) return { kind: "failed", why: `output ${i}: ${why}` };
  }
  const xs = read.inputs.filter(({ dtype }) => isFloat(dtype));
  const ys = [...read.outputs.values()].flatMap((y, i) => {
    if (!isFloat(y.dtype) || !isStatic(y.shape)) return [];
    const finite = Uint8Array.from(outputs[i].data as Float32Array, (each) => Number(Number.isFinite(each)));
    return [finite.every((each) => each) ? y : where(constant("bool", y.shape, finite), y, 0)];
  });
  if (xs.length === 0 || ys.length === 0) return { kind: "passed", gradient: "none", operators: [] };
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

/** Compare dL/dx · v with (L(x + hv) - L(x - hv)) / 2h for L = Σ w·y, with random v and w. */
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
      return { kind: "passed", gradient: "none", operators: [] };
    }
    if (error instanceof GanOnnxError && error.message.includes("not supported")) {
      return { kind: "passed", gradient: "not supported", operators: [] };
    }
    return failed(error);
  }
  const outcomes: Outcome[] = [];
  // Examples often lie at jumps of slopes, at 0 and 1: shift the point a little, in either direction.
  for (const shift of [0.03, -0.03, 0.011]) {
    const moved = inputs.map((tensor) => movedBy(tensor, shift, random));
    outcomes.push(await compareSlopes(read, moved, { loss, slopes, random }));
    if (outcomes.at(-1)?.kind === "passed") break;
  }
  return outcomes.find(({ kind }) => kind === "passed") ?? outcomes[0];
}

function movedBy(tensor: Tensor, shift: number, random: () => number): Tensor {
  if (tensor.dtype !== "float32" && tensor.dtype !== "float64") return tensor;
  const data = tensor.data.map((each) => (Number.isFinite(each) ? each : 0.5) + shift * (0.5 + random()));
  return { ...tensor, data } as Tensor;
}

interface Slopes {
  readonly loss: Value;
  readonly slopes: readonly Value[];
  readonly random: () => number;
}

async function compareSlopes(
  read: ReadModel,
  inputs: readonly Tensor[],
  { loss, slopes, random }: Slopes,
): Promise<Outcome> {
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
    return { kind: "passed", gradient: "checked", operators: [] };
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
