import { GanOnnxError, messageOf } from "../../src/error.js";
import {
  cast,
  concat,
  constant,
  gradients,
  input,
  isStatic,
  nameOfInput,
  reshape,
  sum,
  type Value,
  where,
} from "../../src/graph/index.js";
import { zerosLike } from "../../src/graph/ops/shape.js";
import { isFloat } from "../../src/graph/value.js";
import { sizeOf, type Tensor } from "../../src/tensors/tensor.js";
import { compareAlong, type GradientComparison, generator, type Slope } from "./check-gradients.js";
import { type OnnxCase, readCase, reasonOf } from "./onnx-cases.js";
import { evaluate } from "./run.js";

/**
 * The result of a case. The gradient is `none` if there is nothing to differentiate: inputs or outputs are integers, or
 * slopes are 0.
 */
export type Outcome = Passed | { readonly kind: "not supported" | "failed"; readonly why: string };

export interface Passed {
  readonly kind: "passed";
  readonly gradient: "checked" | "none" | "not supported";
  /** The operators of the case. */
  readonly operators: readonly string[];
}

/** The counts of all outcomes, as docs/operators.md has them. */
export function summaryOf(outcomes: readonly Outcome[]): string {
  const of = (kind: Outcome["kind"]) => outcomes.filter((each) => each.kind === kind).length;
  const checked = outcomes.filter((each) => each.kind === "passed" && each.gradient === "checked").length;
  return (
    `${outcomes.length} cases: ${of("passed")} passed (${checked} with gradients checked), ` +
    `${of("not supported")} not supported, ${of("failed")} failed`
  );
}

/** Cases with other results in ONNX Runtime: it uses the rounded size, as PyTorch does. */
const disputed = /^test_resize_downsample_scales_(linear|cubic)_align_corners$/;

/** Read a case's model, write it, run it, compare; then check its gradients along a direction, by differences. */
export async function tryCase(folder: string, name: string): Promise<Outcome> {
  try {
    const read = readCase(folder, name);
    try {
      return await compare(read);
    } catch (error) {
      return { kind: "failed", why: messageOf(error) };
    }
  } catch (error) {
    if (error instanceof GanOnnxError) return { kind: "not supported", why: reasonOf(error) };
    return { kind: "failed", why: messageOf(error) };
  }
}

async function compare(each: OnnxCase): Promise<Outcome> {
  const { name, read, inputs, outputs, operators } = each;
  // An input may be passed through under its own name.
  const named = Object.fromEntries([...read.outputs.values()].map((value, i) => [`out/${i}`, value]));
  const given = read.inputs.map((value, i) => [nameOfInput(value), feedOf(inputs[i])] as const);
  const found = await evaluate(named, Object.fromEntries(given));
  for (const [i, expected] of outputs.entries()) {
    const why = differs(found[`out/${i}`], expected);
    if (why && disputed.test(name)) {
      return { kind: "not supported", why: "ONNX Runtime gives the same, which is not what is recorded" };
    }
    if (why && read.notes.length > 0) return { kind: "not supported", why: read.notes.join(", ") };
    if (why) return { kind: "failed", why: `output ${i}: ${why}` };
  }
  return differentiable(each) ? checkGradients(each) : { kind: "passed", gradient: "none", operators };
}

function feedOf({ shape, data }: Tensor): { dims: readonly number[]; data: ArrayLike<number | bigint> } {
  return { dims: shape, data };
}

function differs(
  found: { readonly dims: readonly number[]; readonly data: ArrayLike<number | bigint> },
  expected: Tensor,
): string | undefined {
  const [a, b] = [Array.from(found.data, Number), Array.from(expected.data as Float32Array, Number)];
  if (found.dims.join() !== expected.shape.join()) return `shape [${found.dims}], not [${expected.shape}]`;
  const worst = b.findIndex((each, i) => {
    if (Number.isNaN(each) || !Number.isFinite(each)) return !Object.is(a[i], each);
    return !(Math.abs(a[i] - each) <= 1e-5 + 1e-3 * Math.abs(each));
  });
  return worst < 0 ? undefined : `${a[worst]}, not ${b[worst]}, at ${worst}`;
}

/** Whether a case has inputs and outputs of floating point with elements, and knows the shapes of these outputs. */
export function differentiable({ read, inputs, outputs }: OnnxCase): boolean {
  const filled = ({ dtype, data }: Tensor) => isFloat(dtype) && data.length > 0;
  const known = [...read.outputs.values()].map(({ shape }) => isStatic(shape));
  return inputs.some(filled) && outputs.some((each, i) => filled(each) && known[i]);
}

/** All finite elements of the outputs of floating point, in one vector. Elements that are not finite become 0. */
export function outputVector(
  { apply, outputs }: OnnxCase,
  inputs: readonly Value[],
  dtype: "float32" | "float64",
): Value {
  const vectors = [...apply(inputs).outputs.values()].flatMap((y, i) => {
    if (!isFloat(y.dtype) || !isStatic(y.shape)) return [];
    const finite = Uint8Array.from(outputs[i].data as Float32Array, (each) => Number(Number.isFinite(each)));
    const used = finite.every((each) => each) ? y : where(constant("bool", y.shape, finite), y, 0);
    const flat = reshape(used, [sizeOf(y.shape)]);
    return [flat.dtype === dtype ? flat : cast(flat, { to: dtype })];
  });
  return concat(vectors, 0);
}

async function checkGradients(each: OnnxCase): Promise<Outcome> {
  const { read, inputs, operators } = each;
  const xs = read.inputs;
  try {
    gradients(
      sum(outputVector(each, xs, "float64")),
      xs.filter(({ dtype }) => isFloat(dtype)),
      { unused: zerosLike },
    );
  } catch (error) {
    if (!(error instanceof GanOnnxError)) throw error;
    if (error.message.includes("does not depend on x"))
      return { kind: "passed", gradient: "none", operators };
    if (error.message.includes("not supported"))
      return { kind: "passed", gradient: "not supported", operators };
    throw error;
  }
  const random = generator(7);
  const agreed = new Set<string>();
  const failures = new Map<string, Slope>();
  // Examples often lie at jumps of slopes, at 0 and 1: shift the point a little, in either direction.
  for (const shift of [0.03, -0.03, 0.011]) {
    const moved = inputs.map((tensor) => movedBy(tensor, shift, random));
    for (const step of [2 ** -7, 2 ** -10, 2 ** -5, 2 ** -13, 2 ** -16]) {
      const { first, second } = await slopesAt(each, moved, { step, random });
      const orders = [
        ["first", first[0]],
        ["second", second[0]],
      ] as const;
      for (const [order, slope] of orders) {
        if (agree(slope)) agreed.add(order);
        else failures.set(order, slope);
      }
      if (agreed.size === orders.length) return { kind: "passed", gradient: "checked", operators };
    }
  }
  const why = [...failures].flatMap(([order, { analytic, numeric }]) =>
    agreed.has(order) ? [] : [`${order} gradient ${analytic}, differences ${numeric}`],
  );
  return { kind: "failed", why: why.join("; ") };
}

function slopesAt(
  each: OnnxCase,
  point: readonly Tensor[],
  { step, random }: { readonly step: number; readonly random: () => number },
): Promise<GradientComparison> {
  const floats = point.flatMap(({ dtype, shape, data }) =>
    dtype === "float32" || dtype === "float64" ? [{ dtype, shape, dims: shape, data }] : [],
  );
  const direction = floats.flatMap(({ data }) => Array.from(data, () => 2 * random() - 1));
  const fixed = point.map(({ dtype, shape }, i) => input(`fixed${i}`, dtype, shape));
  const f = (...xs: Value[]) => {
    const rest = [...xs];
    return outputVector(
      each,
      fixed.map((value) => (isFloat(value.dtype) ? (rest.shift() as Value) : value)),
      "float64",
    );
  };
  const feeds = Object.fromEntries(point.map((tensor, i) => [`fixed${i}`, feedOf(tensor)]));
  return compareAlong([direction], { f, at: floats, step, random, feeds, unused: zerosLike });
}

/** A point near an input, and 1/2 where that is infinite. */
export function movedBy(tensor: Tensor, shift: number, random: () => number): Tensor {
  if (tensor.dtype !== "float32" && tensor.dtype !== "float64") return tensor;
  const data = tensor.data.map((each) => (Number.isFinite(each) ? each : 0.5) + shift * (0.5 + random()));
  return { ...tensor, data } as Tensor;
}

function agree({ analytic, numeric, size }: Slope): boolean {
  return Math.abs(numeric - analytic) <= 0.02 * Math.max(Math.abs(analytic), size) + 1e-3;
}
