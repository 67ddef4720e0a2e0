import type { Dim } from "../graph/dims.js";
import type { Value } from "../graph/value.js";
import { sizeOf } from "../tensors/tensor.js";
import type { Call } from "./call.js";
import {
  type Content,
  content,
  contentOf,
  extreme,
  minus,
  plus,
  quotient,
  remainder,
  same,
  times,
} from "./content.js";

type Fold = (call: Call, inputs: readonly Content[], output: Value) => Content | undefined;

/** Compute the content of a node's output, if the content of its inputs determines it. */
export function fold(call: Call, output: Value): Content | undefined {
  const rule = folds[call.node.type];
  if (!rule || call.node.domain !== "") return undefined;
  if (output.shape.some((dim) => typeof dim === "string") || sizeOf(output.shape as number[]) > 256)
    return undefined;
  if (call.node.type === "Shape" || call.node.type === "Size") return rule(call, [], output);
  // CastLike uses only the type of its second input.
  const read = call.node.type === "CastLike" ? call.values.slice(0, 1) : call.values;
  const inputs = read.map((value) => value && contentOf(value));
  const present = inputs.filter((each) => each !== undefined);
  // Missing optional inputs at the end can be dropped. A missing input in between would shift the others.
  const given = inputs.slice(0, read.findLastIndex((value) => value !== undefined) + 1);
  return present.length === given.length ? rule(call, present, output) : undefined;
}

/** The same elements with the shape of the output. */
const reshaped: Fold = (_, [x], output) => content(output.shape as number[], x.elements);

const each =
  (f: (x: number) => number, name?: string): Fold =>
  (_, [x]) => {
    const elements = x.elements.map((e) =>
      typeof e === "number" ? f(e) : name === undefined ? e : `(${name} ${e.replaceAll("*", "·")})`,
    );
    return { ...x, elements };
  };

/** An operation on two contents that broadcast. Undefined if any element is unknown. */
const pairwise =
  (f: (call: Call) => (a: Dim, b: Dim) => Dim | undefined): Fold =>
  (call, inputs, output) => {
    const shape = output.shape as readonly number[];
    const operation = f(call);
    const combine = (a: Content, b: Content): Content | undefined => {
      const elements: Dim[] = [];
      for (let i = 0; i < sizeOf(shape); i++) {
        const result = operation(at(a, shape, i), at(b, shape, i));
        if (result === undefined) return undefined;
        elements.push(result);
      }
      return { shape, elements };
    };
    return inputs.slice(1).reduce<Content | undefined>((a, b) => a && combine(a, b), inputs[0]);
  };

/** The element at an index after broadcasting to a shape. */
function at({ shape, elements }: Content, target: readonly number[], index: number): Dim {
  let [rest, place, stride] = [index, 0, 1];
  for (let axis = target.length - 1; axis >= 0; axis--) {
    const own = shape[axis - target.length + shape.length] ?? 1;
    if (own !== 1) place += (rest % target[axis]) * stride;
    stride *= own;
    rest = Math.floor(rest / target[axis]);
  }
  return elements[place];
}

const isWhole = (call: Call) => !call.input(0).dtype.startsWith("float");
const comparison = (known: (a: number, b: number) => boolean) =>
  pairwise(
    () => (a, b) => (typeof a === "number" && typeof b === "number" ? Number(known(a, b)) : undefined),
  );

const reduction =
  (f: (a: Dim, b: Dim) => Dim, start?: number): Fold =>
  (_, [x], output) => {
    const all = sizeOf(output.shape as number[]) === 1 && (start !== undefined || x.elements.length > 0);
    if (!all) return undefined;
    const total = start === undefined ? x.elements.reduce(f) : x.elements.reduce(f, start);
    return { shape: output.shape as number[], elements: [total] };
  };

/** Select rows of a content of rank 1. */
const pick = (x: Content, rows: readonly number[]) =>
  rows.map((i) => x.elements[i < 0 ? i + x.elements.length : i]);

const cast: Fold = (call, [x], output) => {
  const { dtype } = output;
  if (dtype === "bool") return each((e) => Number(e !== 0))(call, [x], output);
  return dtype.startsWith("float") ? x : each(Math.trunc)(call, [x], output);
};

const folds: Readonly<Record<string, Fold>> = {
  Shape: (call, _, output) => {
    const { shape } = call.input(0);
    const elements = shape.slice(call.int("start", 0), call.attribute("end", "int") ?? shape.length);
    return { shape: output.shape as number[], elements };
  },
  Size: (call) => ({ shape: [], elements: [call.input(0).shape.reduce<Dim>(times, 1)] }),
  Identity: reshaped,
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Cast: cast,
  CastLike: cast,
  Gather: (call, [x, index], output) => {
    if (x.shape.length !== 1 || call.int("axis", 0) > 0 || index.elements.some((i) => typeof i === "string"))
      return undefined;
    const rows = pick(x, index.elements as number[]);
    return rows.includes(undefined as never)
      ? undefined
      : { shape: output.shape as number[], elements: rows };
  },
  Concat: (call, inputs, output) => {
    const axis = call.axis(output, undefined);
    const shape = output.shape as number[];
    const parts = inputs.flatMap((x) => Array.from({ length: x.shape[axis] }, (_, i) => ({ x, i })));
    return {
      shape,
      elements: indicesIn(shape).map((at) => elementOf(parts[at[axis]].x, at.with(axis, parts[at[axis]].i))),
    };
  },
  Slice: (call, [x, ...given], output) => {
    const numbers = (name: string, i: number) =>
      call.opset < 10 ? call.ints(name) : (given[i]?.elements as readonly Dim[] | undefined);
    const [starts, ends] = [numbers("starts", 0), numbers("ends", 1)];
    const axes = numbers("axes", 2) ?? starts?.map((_, i) => i);
    const steps = numbers("steps", 3) ?? starts?.map(() => 1);
    const all = [starts, ends, axes, steps].flatMap((each) => each ?? [""]);
    if (all.some((each) => typeof each === "string")) return undefined;
    const picked = x.shape.map((extent) => Array.from({ length: extent }, (_, i) => i));
    axes?.forEach((axis, i) => {
      const at = Number(axis) < 0 ? Number(axis) + x.shape.length : Number(axis);
      picked[at] = sliced(x.shape[at], Number(starts?.[i]), Number(ends?.[i]), Number(steps?.[i]));
    });
    const shape = output.shape as number[];
    return {
      shape,
      elements: indicesIn(shape).map((at) =>
        elementOf(
          x,
          at.map((i, axis) => picked[axis][i]),
        ),
      ),
    };
  },
  Transpose: (call, [x], output) => {
    const shape = output.shape as number[];
    const perm = call.ints("perm") ?? shape.map((_, i) => shape.length - 1 - i);
    const from = (at: readonly number[]) => x.shape.map((_, axis) => at[perm.indexOf(axis)]);
    return { shape, elements: indicesIn(shape).map((at) => elementOf(x, from(at))) };
  },
  Expand: (_, [x], output) => broadcastTo(x, output),
  ConstantOfShape: (call, _, output) => {
    const value = call.attribute("value", "tensor")?.read();
    const element = value ? Number(value.data[0]) : 0;
    const shape = output.shape as number[];
    return { shape, elements: Array<Dim>(sizeOf(shape)).fill(element) };
  },
  Range: (_, [start, limit, delta], output) => {
    const [first, last, step] = [start, limit, delta].map(({ elements: [e] }) => e);
    if (typeof first !== "number" || typeof last !== "number" || typeof step !== "number") return undefined;
    const shape = output.shape as number[];
    return { shape, elements: Array.from({ length: shape[0] }, (_, i) => first + i * step) };
  },
  Where: (_, [condition, a, b], output) => {
    const shape = output.shape as readonly number[];
    const indices = Array.from({ length: sizeOf(shape) }, (_, i) => i);
    const elements = indices.map((i) => {
      const chosen = at(condition, shape, i);
      const [yes, no] = [at(a, shape, i), at(b, shape, i)];
      if (typeof chosen === "string") return yes === no ? yes : undefined;
      return chosen ? yes : no;
    });
    return elements.includes(undefined) ? undefined : { shape, elements: elements as Dim[] };
  },
  Add: pairwise(() => plus),
  Sub: pairwise(() => minus),
  Mul: pairwise(() => times),
  Div: (call, inputs, output) => {
    const zero = inputs[1].elements.includes(0) && isWhole(call);
    return zero ? undefined : pairwise(() => quotient(isWhole(call)))(call, inputs, output);
  },
  Mod: (call, inputs, output) => {
    if (inputs[1].elements.includes(0)) return undefined;
    return pairwise(() => remainder(call.int("fmod", 0) === 1))(call, inputs, output);
  },
  Min: pairwise(() => extreme("min")),
  Max: pairwise(() => extreme("max")),
  Pow: pairwise(() => (a, b) => (typeof a === "number" && typeof b === "number" ? a ** b : undefined)),
  Neg: (_, [x]) =>
    x.elements.every((e) => typeof e === "number") ? each((e) => -e)(_, [x], _.input(0)) : undefined,
  Abs: each(Math.abs),
  Floor: each(Math.floor, "floor"),
  Ceil: each(Math.ceil, "ceil"),
  Sqrt: each(Math.sqrt, "sqrt"),
  Not: each((e) => Number(e === 0)),
  Equal: pairwise(() => same),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  And: comparison((a, b) => a !== 0 && b !== 0),
  Or: comparison((a, b) => a !== 0 || b !== 0),
  ReduceProd: reduction(times, 1),
  ReduceSum: reduction(plus, 0),
  ReduceMax: reduction(extreme("max")),
  ReduceMin: reduction(extreme("min")),
};

function broadcastTo(x: Content, output: Value): Content {
  const shape = output.shape as readonly number[];
  return { shape, elements: Array.from({ length: sizeOf(shape) }, (_, i) => at(x, shape, i)) };
}

/** The indices that numpy's start:end:step takes from an axis: https://onnx.ai/onnx/operators/onnx__Slice.html */
function sliced(length: number, start: number, end: number, step: number): number[] {
  const bound = (given: number, low: number, high: number) =>
    Math.min(Math.max(given < 0 ? given + length : given, low), high);
  const result: number[] = [];
  if (step > 0) for (let i = bound(start, 0, length); i < bound(end, 0, length); i += step) result.push(i);
  if (step < 0)
    for (let i = bound(start, 0, length - 1); i > bound(end, -1, length - 1); i += step) result.push(i);
  return result;
}

/** All indices of a shape, in order of elements. */
function indicesIn(shape: readonly number[]): readonly (readonly number[])[] {
  return shape.reduce<readonly (readonly number[])[]>(
    (before, extent) => before.flatMap((at) => Array.from({ length: extent }, (_, i) => [...at, i])),
    [[]],
  );
}

function elementOf({ shape, elements }: Content, at: readonly number[]): Dim {
  return elements[at.reduce((place, i, axis) => place * shape[axis] + i, 0)];
}
