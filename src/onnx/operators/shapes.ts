import { addDims, broadcastShapes, type Dim, productOf, type Shape, symbolOf } from "../../graph/dims.js";
import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import { normalizeAxis } from "../../graph/ops/infer.js";
import type { Call, Rules } from "../call.js";
import { contentOf } from "../content.js";

export const shapes: Rules = {
  Constant: (call) => constantOf(call),
  Reshape: (call) => {
    const x = call.input(0);
    const target = call.input(1);
    return reshapeTo(call, x, target);
  },
  Transpose: (call) => {
    const x = call.input(0);
    return graph.transpose(x, call.ints("perm") ?? x.shape.map((_, i) => i).reverse());
  },
  Concat: (call) => {
    const parts = call.values.map((_, i) => call.input(i));
    return graph.concat(parts, call.axis(parts[0], undefined));
  },
  Flatten: (call) => {
    const x = call.input(0);
    const axis = call.int("axis", 1);
    const at = axis === x.shape.length ? axis : normalizeAxis("Flatten", axis, x.shape.length);
    return graph.reshape(x, [productOf(x.shape.slice(0, at)), productOf(x.shape.slice(at))]);
  },
  Unsqueeze: (call) => {
    const x = call.input(0);
    const axes = call.numbersOf("axes", 1, 13) ?? call.fail("axes are missing");
    const rank = x.shape.length + axes.length;
    const at = axes.map((axis) => normalizeAxis("Unsqueeze", axis, rank)).sort((a, b) => a - b);
    const shape: Dim[] = [...x.shape];
    for (const axis of at) shape.splice(axis, 0, 1);
    return graph.reshape(x, shape);
  },
  Squeeze: (call) => {
    const x = call.input(0);
    const axes = call.numbersOf("axes", 1, 13);
    const at = axes?.map((axis) => normalizeAxis("Squeeze", axis, x.shape.length));
    return graph.reshape(
      x,
      x.shape.filter((dim, i) => (at ? !at.includes(i) : dim !== 1)),
    );
  },
  Shape: (call) => {
    const x = call.input(0);
    const rank = x.shape.length;
    const bound = (given: number) => Math.min(Math.max(given < 0 ? given + rank : given, 0), rank);
    const [start, end] = [bound(call.int("start", 0)), bound(call.int("end", rank))];
    return graph.shapeOp(x, { start, end: Math.max(start, end) });
  },
  Expand: (call) => {
    const [x, target] = [call.input(0), call.input(1)];
    const dims = contentOf(target)?.elements ?? call.fail("the shape is not known");
    const to = broadcastShapes("Expand", [x.shape, dims]);
    return graph.expandOp(x, target, { to });
  },
};

function constantOf(call: Call): Value {
  const tensor = call.attribute("value", "tensor");
  if (tensor) {
    const { dtype, shape, data } = tensor.read();
    return graph.constant(dtype, shape, data);
  }
  const floats = call.attribute("value_floats", "floats");
  const ints = call.attribute("value_ints", "ints");
  const float = call.attribute("value_float", "float");
  const int = call.attribute("value_int", "int");
  if (float !== undefined) return graph.scalar(float);
  if (int !== undefined) return graph.scalar(int, "int64");
  if (floats) return graph.constant("float32", [floats.length], Float32Array.from(floats));
  if (ints) return graph.constant("int64", [ints.length], BigInt64Array.from(ints, BigInt));
  return call.fail("holds no numbers");
}

function reshapeTo(call: Call, x: Value, target: Value): Value {
  const dims = contentOf(target)?.elements ?? call.fail("the shape is not known");
  const copied = dims.map((dim, i) => (dim === 0 && call.int("allowzero", 0) === 0 ? x.shape[i] : dim));
  const open = copied.indexOf(-1);
  if (open < 0) return graph.reshape(x, copied);
  return graph.reshape(x, copied.with(open, quotientOf(x.shape, copied.toSpliced(open, 1))));
}

function quotientOf(whole: Shape, part: Shape): Dim {
  const [a, b] = [productOf(whole), productOf(part)].map(symbolOf);
  const rest = a.symbol === "" ? [] : a.symbol.split("*");
  for (const symbol of b.symbol === "" ? [] : b.symbol.split("*")) {
    const at = rest.indexOf(symbol);
    if (at < 0) throw new Error("not known");
    rest.splice(at, 1);
  }
  return productOf([a.coefficient / b.coefficient, ...rest]);
}
void addDims;
