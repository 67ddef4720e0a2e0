import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import type { Rule, Rules } from "../call.js";

type Reduction = (x: Value, axes: readonly number[], options: { keepdims: boolean }) => Value;

/** A reduction whose axes are an attribute before opset `since` and an input from then on. */
const over =
  (reduce: Reduction, since = 18): Rule =>
  (call) => {
    const x = call.input(0);
    const given = call.numbersOf("axes", 1, since);
    const none = !given?.length;
    if (none && call.int("noop_with_empty_axes", 0) === 1) return x;
    const axes = none ? x.shape.map((_, axis) => axis) : given;
    const options = { keepdims: call.int("keepdims", 1) === 1 };
    if (x.dtype !== "bool") return reduce(x, axes, options);
    return graph.cast(reduce(graph.cast(x, { to: "int32" }), axes, options), { to: "bool" });
  };

const position =
  (find: typeof graph.argMax): Rule =>
  (call) =>
    find(call.input(0), call.int("axis", 0), {
      keepdims: call.int("keepdims", 1) === 1,
      last: call.int("select_last_index", 0) === 1,
    });

/** Before opset 13, all axes from `axis` on count as one. */
const along =
  (f: typeof graph.softmax): Rule =>
  (call) =>
    call.opset < 13
      ? graph.flattened(f, call.input(0), call.int("axis", 1))
      : f(call.input(0), call.int("axis", -1));

/** Operators that reduce axes or normalize along them. */
export const reductions: Rules = {
  ReduceSum: over(graph.sum, 13),
  ReduceMean: over(graph.mean),
  ReduceMax: over(graph.max),
  ReduceMin: over(graph.min),
  ReduceProd: over(graph.prod),
  ReduceL1: over(graph.l1Norm),
  ReduceL2: over(graph.l2Norm),
  ReduceLogSum: over(graph.logSum),
  ReduceLogSumExp: over(graph.logSumExp),
  ReduceSumSquare: over(graph.sumSquare),
  ArgMax: position(graph.argMax),
  ArgMin: position(graph.argMin),
  Softmax: along(graph.softmax),
  LogSoftmax: along(graph.logSoftmax),
};
