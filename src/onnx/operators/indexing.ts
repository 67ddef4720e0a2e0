import type { Dim } from "../../graph/dims.js";
import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import type { Call, Rules } from "../call.js";
import { contentOf, minus, plus } from "../content.js";
import { axisOf } from "./shapes.js";

/** Operators that read or write parts of values. */
export const indexing: Rules = {
  Gather: (call) => graph.gather(call.input(0), call.input(1), call.int("axis", 0)),
  GatherElements: (call) => graph.gatherElements(call.input(0), call.input(1), call.int("axis", 0)),
  GatherND: (call) => graph.gatherND(call.input(0), call.input(1), call.int("batch_dims", 0)),
  ScatterND: (call) => graph.scatterND(call.input(0), call.input(1), call.input(2), reductionOf(call)),
  ScatterElements: scatterElements,
  Scatter: scatterElements,
  Slice: slice,
  Pad: pad,
  TopK: (call) => {
    const [k] = call.opset < 10 ? [call.required("k", "int")] : (call.numbers(1, "k") ?? []);
    const { values, indices } = graph.topK(call.input(0), k, call.int("axis", -1), {
      largest: call.int("largest", 1) === 1,
      sorted: call.int("sorted", 1) === 1,
    });
    return [values, indices];
  },
};

function scatterElements(call: Call): Value {
  const [x, index, updates] = [0, 1, 2].map(call.input);
  return graph.scatterElements(x, index, updates, call.int("axis", 0), reductionOf(call));
}

function reductionOf(call: Call): "none" | "add" {
  const reduction = call.string("reduction", "none");
  if (reduction === "none" || reduction === "add") return reduction;
  return call.fail(`the reduction ${reduction} is not supported`);
}

/**
 * The bounds are attributes before opset 10 and inputs from then on: https://onnx.ai/onnx/operators/onnx__Slice.html
 */
function slice(call: Call): Value {
  const x = call.input(0);
  const given = (name: string, i: number): readonly Dim[] | undefined => {
    if (call.opset < 10) return call.ints(name);
    const value = call.optional(i);
    return value && (contentOf(value)?.elements ?? call.fail(`the ${name} are computed, and not known`));
  };
  const [starts, ends] = [given("starts", 1) ?? [], given("ends", 2) ?? []];
  const axes = given("axes", 3) ?? starts.map((_, i) => i);
  const steps = given("steps", 4) ?? starts.map(() => 1);
  const ranges = starts.map((start, i) => {
    const axis = axisOf(call, Number(axes[i]), x);
    return rangeOf(call, x.shape[axis], { axis, start, end: ends[i], step: Number(steps[i]) });
  });
  return graph.slice(x, ranges);
}

const FAR = 2 ** 31 - 1;

/** A range with numeric bounds. A bound that is the extent means the end of the axis. */
function rangeOf(
  call: Call,
  extent: Dim,
  { axis, start, end, step }: { axis: number; start: Dim; end: Dim; step: number },
) {
  const bound = (at: Dim) => {
    if (typeof at === "number") return Math.max(-FAR, Math.min(FAR, at));
    return at === extent ? FAR : call.fail(`${at} is no bound that is known of an axis of ${extent}`);
  };
  const [from, to] = [bound(start), bound(end)];
  if (typeof extent === "number" || step !== 1) return { axis, start: from, end: to, step };
  return { axis, start: from, end: to, step, extent: countOf(extent, from, to) };
}

/** The number of elements from start to end on an axis with a symbolic extent; undefined if it is not known. */
function countOf(extent: Dim, start: number, end: number): Dim | undefined {
  const place = (at: number): Dim => (at >= FAR ? extent : at < 0 ? plus(extent, at) : at);
  if (start >= FAR) return 0;
  // Assume that the axis is long enough. Exporters ensure it.
  return minus(place(end), place(start));
}

/** The pads are attributes before opset 11 and inputs from then on. Since opset 18, `axes` may name their axes. */
function pad(call: Call): Value {
  const x = call.input(0);
  const rank = x.shape.length;
  const given =
    (call.opset < 11 ? call.ints("pads") : call.numbers(1, "pads")) ?? call.fail("the pads are missing");
  const axes = (call.opset >= 18 ? call.numbers(3, "axes") : undefined) ?? x.shape.map((_, i) => i);
  const pads = Array.from({ length: rank }, (): [number, number] => [0, 0]);
  axes.forEach((axis, i) => {
    pads[axisOf(call, axis, x)] = [given[i], given[i + axes.length]];
  });
  const mode = call.string("mode", "constant");
  if (mode !== "constant" && mode !== "reflect" && mode !== "edge" && mode !== "wrap")
    return call.fail(`the mode ${mode} is not known`);
  const value = call.opset < 11 ? call.float("value", 0) : call.optional(2);
  const filling = typeof value === "object" ? graph.reshape(value, []) : value;
  return graph.pad(x, pads, mode, filling ?? 0);
}
