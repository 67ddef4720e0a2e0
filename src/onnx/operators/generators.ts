import { isStatic, type Shape } from "../../graph/dims.js";
import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import { defineOp, type Op } from "../../graph/operator.js";
import { elementsOf, sizeOf } from "../../tensors/tensor.js";
import type { Call, Rules } from "../call.js";
import { contentOf, minus, numbersIn } from "../content.js";
import { dtypeIn } from "./elementwise.js";
import { axisOf, dimsIn } from "./shapes.js";

/** What makes values of nothing but sizes and numbers, and what masks or accumulates by place. */
export const generators: Rules = {
  Constant: constantOf,
  ConstantOfShape: (call) => {
    const target = call.input(0);
    const filling = call.attribute("value", "tensor")?.read();
    const element = filling
      ? graph.constant(filling.dtype, [], filling.data as never)
      : graph.scalar(0, "float32");
    const to = dimsIn(call, target);
    return to.length === 0 ? element : graph.expandOp(element, target, { to });
  },
  Range: range,
  EyeLike: (call) => {
    const x = call.input(0);
    const dtype = call.attribute("dtype", "int") === undefined ? x.dtype : dtypeIn(call, "dtype");
    const [rows, columns] = staticShape(call, x.shape);
    const k = call.int("k", 0);
    return filled(dtype, [rows, columns], (i, j) => Number(j === i + k));
  },
  Trilu: trilu,
  OneHot: oneHot,
  Hardmax: (call) => {
    const x = call.input(0);
    const axis = call.axis(x, call.opset < 13 ? 1 : -1);
    const [flat, at] = call.opset < 13 ? [graph.flatten(x, axis), 1] : [x, axis];
    const hot = graph.equal(graph.argMax(flat, at, { keepdims: true }), positions(flat, at));
    return graph.reshape(graph.cast(hot, { to: x.dtype }), x.shape);
  },
  CumSum: (call) => {
    const x = call.input(0);
    const [axis] = call.numbers(1, "axis") ?? call.fail("the axis is missing");
    return cumSum(x, graph.scalar(axisOf(call, axis, x), "int64"), {
      exclusive: call.int("exclusive", 0),
      reverse: call.int("reverse", 0),
    });
  },
  NonZero: (call) =>
    nonZero(call.input(0), { to: [call.input(0).shape.length, `${call.node.outputs[0]}_count`] }),
};

function constantOf(call: Call): Value {
  const tensor = call.attribute("value", "tensor")?.read();
  if (tensor) return graph.constant(tensor.dtype, tensor.shape, tensor.data as never);
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

const rangeOp: Op<[start: Value, limit: Value, delta: Value], { to: "dims" }> = defineOp({
  type: "Range",
  attributes: { to: "dims" },
  infer: ([start], { to }) => ({ dtype: start.dtype, shape: to }),
  vjp: null,
});

/** https://onnx.ai/onnx/operators/onnx__Range.html */
function range(call: Call): Value {
  const [start, limit, delta] = [0, 1, 2].map(call.input);
  const [first, last, step] = [start, limit, delta].map((value) => contentOf(value)?.elements[0]);
  if (typeof first === "number" && typeof last === "number" && typeof step === "number") {
    const length = Math.max(0, Math.ceil((last - first) / step));
    const numbers = Array.from({ length }, (_, i) => first + i * step);
    return graph.constant(start.dtype, [length], elementsOf(start.dtype, numbers));
  }
  const count =
    step === 1 && first !== undefined && last !== undefined
      ? minus(last, first)
      : `${call.node.outputs[0]}_count`;
  return rangeOp(start, limit, delta, { to: [count] });
}

const nonZero: Op<[x: Value], { to: "dims" }> = defineOp({
  type: "NonZero",
  attributes: { to: "dims" },
  infer: (_, { to }) => ({ dtype: "int64", shape: to }),
  vjp: null,
});

const cumSum: Op<[x: Value, axis: Value], { exclusive: "int"; reverse: "int" }> = defineOp({
  type: "CumSum",
  attributes: { exclusive: "int", reverse: "int" },
  infer: ([x]) => ({ dtype: x.dtype, shape: x.shape }),
  // What is added to all that follow gets the gradients of all that follow.
  vjp: ([, axis], _, g, { exclusive, reverse }) => [
    cumSum(g, axis, { exclusive, reverse: 1 - reverse }),
    null,
  ],
});

function staticShape(call: Call, shape: Shape): readonly number[] {
  return isStatic(shape) ? shape : call.fail(`the shape [${shape.join(", ")}] is not known`);
}

/** A matrix known now. */
function filled(
  dtype: Value["dtype"],
  [rows, columns]: readonly number[],
  at: (row: number, column: number) => number,
): Value {
  const numbers = Array.from({ length: sizeOf([rows, columns]) }, (_, i) => {
    const row = Math.floor(i / columns);
    return at(row, i - row * columns);
  });
  return graph.constant(dtype, [rows, columns], elementsOf(dtype, numbers));
}

/** 0, 1, … along an axis of x, as int64 that broadcast to its shape. */
export function positions(x: Value, axis: number): Value {
  const extent = x.shape[axis];
  const shape = x.shape.map((_, i) => (i === axis ? extent : 1));
  if (typeof extent === "number") {
    const numbers = BigInt64Array.from({ length: extent }, (_, i) => BigInt(i));
    return graph.constant("int64", shape as number[], numbers);
  }
  const limit = graph.reshape(graph.extentOf(x, axis), []);
  const all = rangeOp(graph.scalar(0, "int64"), limit, graph.scalar(1, "int64"), { to: [extent] });
  return graph.reshape(all, shape);
}

/** The triangle above or below a diagonal of the last two axes; zeros elsewhere. */
function trilu(call: Call): Value {
  const x = call.input(0);
  const rank = x.shape.length;
  const upper = call.int("upper", 1) === 1;
  const [k] = call.numbers(1, "k") ?? [0];
  const shape = x.shape.slice(-2);
  const mask = isStatic(shape)
    ? filled("bool", shape, (i, j) => Number(upper ? j - i >= k : j - i <= k))
    : (upper ? graph.greaterOrEqual : graph.lessOrEqual)(
        graph.sub(positions(x, rank - 1), positions(x, rank - 2)),
        k,
      );
  const zero = graph.constant(x.dtype, [], elementsOf(x.dtype, [0]));
  return graph.where(mask, x, zero);
}

/** https://onnx.ai/onnx/operators/onnx__OneHot.html */
function oneHot(call: Call): Value {
  const [indices, depth, values] = [0, 1, 2].map(call.input);
  const [count] = numbersIn(depth) ?? call.fail("the depth is computed, and not known");
  const axis = call.int("axis", -1);
  const rank = indices.shape.length + 1;
  const at = axis < 0 ? axis + rank : axis;
  const whole = indices.dtype === "int64" ? indices : graph.cast(indices, { to: "int64" });
  const spread = graph.unsqueeze(whole, [at]);
  // Negative indices count from the end.
  const counted = graph.where(graph.less(spread, 0), graph.add(spread, count), spread);
  const shape = spread.shape.map((_, i) => (i === at ? count : 1));
  const numbers = BigInt64Array.from({ length: count }, (_, i) => BigInt(i));
  const hot = graph.equal(counted, graph.constant("int64", shape, numbers));
  const [off, on] = graph.split(values, 0, 2).map((value) => graph.reshape(value, []));
  return graph.where(hot, on, off);
}
