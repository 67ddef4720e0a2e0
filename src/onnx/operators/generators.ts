import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import { defineOp, type Op } from "../../graph/operator.js";
import { int64s } from "../../graph/value.js";
import { elementsOf } from "../../tensors/tensor.js";
import type { Call, Rules } from "../call.js";
import { contentOf, minus, numbersIn } from "../content.js";
import { dtypeIn } from "./elementwise.js";
import { dimsIn } from "./shapes.js";

/** Operators that create values from sizes and numbers, and operators that mask or accumulate by position. */
export const generators: Rules = {
  Constant: constantOf,
  If: (call) => {
    const [chosen] =
      numbersIn(call.input(0)) ?? call.fail("the condition is computed, and not known", "export one branch");
    return call.run(call.required(chosen ? "then_branch" : "else_branch", "graph"));
  },
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
  EyeLike: (call) =>
    graph.eyeLike(withinReason(call, call.input(0)), {
      k: call.int("k", 0),
      ...(call.attribute("dtype", "int") === undefined ? {} : { dtype: dtypeIn(call, "dtype") }),
    }),
  Trilu: (call) => {
    const k = call.optional(1);
    const upper = call.int("upper", 1) === 1;
    return graph.trilu(withinReason(call, call.input(0)), { upper, k: k && graph.reshape(k, []) });
  },
  OneHot: oneHot,
  Hardmax: (call) => {
    const x = call.input(0);
    const axis = call.axis(x, call.opset < 13 ? 1 : -1);
    const [flat, at] = call.opset < 13 ? [graph.flatten(x, axis), 1] : [x, axis];
    const hot = graph.equal(graph.argMax(flat, at, { keepdims: true }), graph.positions(flat, at));
    return graph.reshape(graph.cast(hot, { to: x.dtype }), x.shape);
  },
  CumSum: (call) => {
    const x = call.input(0);
    const [axis] = call.numbers(1, "axis") ?? call.fail("the axis is missing");
    return graph.cumSum(x, axis, {
      exclusive: call.int("exclusive", 0) === 1,
      reverse: call.int("reverse", 0) === 1,
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
  if (ints) return int64s(ints);
  return call.fail("holds no numbers");
}

/** The maximum number of elements of a generated constant: it is stored in the model. */
const MOST = 2 ** 24;

/** https://onnx.ai/onnx/operators/onnx__Range.html */
function range(call: Call): Value {
  const [start, limit, delta] = [0, 1, 2].map(call.input);
  const [first, last, step] = [start, limit, delta].map((value) => contentOf(value)?.elements[0]);
  if (typeof first === "number" && typeof last === "number" && typeof step === "number") {
    const length = Math.max(0, Math.ceil((last - first) / step));
    if (!(length <= MOST)) call.fail(`it has ${length} elements`);
    const numbers = Array.from({ length }, (_, i) => first + i * step);
    return graph.constant(start.dtype, [length], elementsOf(start.dtype, numbers));
  }
  const count =
    step === 1 && first !== undefined && last !== undefined
      ? minus(last, first)
      : `${call.node.outputs[0]}_count`;
  return graph.rangeOp(start, limit, delta, { to: [count] });
}

const nonZero: Op<[x: Value], { to: "dims" }> = defineOp({
  type: "NonZero",
  attributes: { to: "dims" },
  infer: (_, { to }) => ({ dtype: "int64", shape: to }),
  vjp: null,
});

/** https://onnx.ai/onnx/operators/onnx__OneHot.html */
function oneHot(call: Call): Value {
  const [indices, depth, values] = [0, 1, 2].map(call.input);
  const [count] = numbersIn(depth) ?? call.fail("the depth is computed, and not known");
  if (!(count <= MOST)) call.fail(`the depth is ${count}`);
  const [off, on] = graph.split(values, 0, 2).map((value) => graph.reshape(value, []));
  return graph.oneHotEncode(indices, count, { axis: call.int("axis", -1), on, off });
}

/** Refuse a value whose axes are too long for constants. */
function withinReason(call: Call, x: Value): Value {
  return x.shape.some((dim) => Number(dim) > MOST) ? call.fail("an axis is too long") : x;
}
