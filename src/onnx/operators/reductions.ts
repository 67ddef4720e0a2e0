import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import type { Call, Rule, Rules } from "../call.js";

type Reduction = (x: Value, axes: readonly number[], options: { keepdims: boolean }) => Value;

/** A reduction whose axes are an input since an opset and an attribute before. */
const over =
  (reduce: Reduction, since: number): Rule =>
  (call) => {
    const x = call.input(0);
    const axes = axesOf(call, x, since);
    return axes.length === 0 ? x : reduce(x, axes, { keepdims: call.int("keepdims", 1) === 1 });
  };

function axesOf(call: Call, x: Value, since: number): readonly number[] {
  const given = call.numbersOf("axes", 1, since);
  if (given?.length) return given;
  return call.int("noop_with_empty_axes", 0) === 1 ? [] : x.shape.map((_, axis) => axis);
}

export const reductions: Rules = {
  ReduceSum: over(graph.sum, 13),
  ReduceMean: over(graph.mean, 18),
};
