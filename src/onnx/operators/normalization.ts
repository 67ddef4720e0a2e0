import type { Shape } from "../../graph/dims.js";
import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import type { Call, Rules } from "../call.js";
import { axisOf } from "./shapes.js";

/** What centres and scales by statistics, written out in operators that have gradients to any order. */
export const normalization: Rules = {
  BatchNormalization: (call) => {
    const inTraining = call.int("training_mode", 0) === 1;
    return inTraining ? batchStatistics(call) : call.training ? followed(call) : runningStatistics(call);
  },
  InstanceNormalization: (call) => {
    const [x, scale, bias] = [0, 1, 2].map(call.input);
    const axes = x.shape.map((_, axis) => axis).slice(2);
    const { normalized } = standardized(x, axes, call.float("epsilon", 1e-5));
    return graph.add(graph.mul(normalized, alongChannels(scale, x)), alongChannels(bias, x));
  },
  LayerNormalization: (call) => {
    const [x, scale, bias] = [call.input(0), call.input(1), call.optional(2)];
    const { normalized, average, inverse } = standardized(x, axesFrom(call, x), call.float("epsilon", 1e-5));
    const scaled = graph.mul(normalized, scale);
    return [bias ? graph.add(scaled, bias) : scaled, average, inverse];
  },
  RMSNormalization: (call) => {
    const [x, scale] = [call.input(0), call.input(1)];
    const power = graph.mean(graph.square(x), axesFrom(call, x), { keepdims: true });
    return graph.mul(graph.div(x, root(power, call.float("epsilon", 1e-5))), scale);
  },
  GroupNormalization: groupNormalization,
  MeanVarianceNormalization: (call) => {
    const x = call.input(0);
    const axes = call.ints("axes") ?? [0, 2, 3];
    const centred = graph.sub(x, graph.mean(x, axes, { keepdims: true }));
    const deviation = graph.sqrt(graph.mean(graph.square(centred), axes, { keepdims: true }));
    return graph.div(centred, graph.add(deviation, 1e-9));
  },
  LpNormalization: (call) => {
    const p = call.int("p", 2);
    const norm = p === 1 ? graph.l1Norm : p === 2 ? graph.l2Norm : call.fail(`p is ${p}`);
    const x = call.input(0);
    return graph.div(x, norm(x, [call.int("axis", -1)], { keepdims: true }));
  },
  LRN: localResponse,
};

function root(variance: Value, epsilon: number): Value {
  return graph.sqrt(graph.add(variance, epsilon));
}

/** x with mean 0 and variance 1 over some axes, and what it took. */
function standardized(x: Value, axes: readonly number[], epsilon: number) {
  const average = graph.mean(x, axes, { keepdims: true });
  const centred = graph.sub(x, average);
  const variance = graph.mean(graph.square(centred), axes, { keepdims: true });
  const deviation = root(variance, epsilon);
  return { normalized: graph.div(centred, deviation), average, inverse: graph.div(1, deviation), variance };
}

/** All axes from that of the attribute on. */
function axesFrom(call: Call, x: Value): readonly number[] {
  return x.shape.map((_, axis) => axis).slice(axisOf(call, call.int("axis", -1), x));
}

/** One number a channel, so that they broadcast along axis 1 of x. */
function alongChannels(values: Value, x: Value): Value {
  return graph.reshape(values, [values.shape[0], ...x.shape.slice(2).map(() => 1)]);
}

/** A factor and an offset a channel, of the statistics that the model keeps. */
function runningStatistics(call: Call): Value {
  const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map(call.input);
  const factor = graph.div(scale, root(variance, call.float("epsilon", 1e-5)));
  const offset = graph.sub(bias, graph.mul(mean, factor));
  return graph.add(graph.mul(x, alongChannels(factor, x)), alongChannels(offset, x));
}

/** The statistics of the batch, and those that follow them as ONNX defines it: with the variance as it is. */
function batchStatistics(call: Call): readonly Value[] {
  const { y, average, variance, mean, deviation } = byBatch(call);
  const momentum = call.float("momentum", 0.9);
  const follow = (running: Value, news: Value) =>
    graph.add(graph.mul(running, momentum), graph.mul(news, 1 - momentum));
  return [y, follow(mean, average), follow(deviation, variance)];
}

/**
 * A layer of inference in training: PyTorch, whose layer it was, lets the running variance follow the unbiased one,
 * n / (n - 1) of the batch's.
 */
function followed(call: Call): Value {
  const { y, x, average, variance, mean, deviation, axes } = byBatch(call);
  const momentum = call.float("momentum", 0.9);
  const follow = (running: Value, news: Value) =>
    graph.add(graph.mul(running, momentum), graph.mul(news, 1 - momentum));
  const count = graph.elementCount(x, axes);
  const unbiased = graph.mul(variance, graph.div(count, graph.maximum(graph.sub(count, 1), 1)));
  call.record(mean, follow(mean, average));
  call.record(deviation, follow(deviation, unbiased));
  return y;
}

function byBatch(call: Call) {
  const [x, scale, bias, mean, deviation] = [0, 1, 2, 3, 4].map(call.input);
  const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const average = graph.mean(x, axes, { keepdims: true });
  const centred = graph.sub(x, average);
  const variance = graph.mean(graph.square(centred), axes, { keepdims: true });
  // One factor a channel: a single pass over the batch here, and few in the gradient.
  const factor = graph.div(alongChannels(scale, x), root(variance, call.float("epsilon", 1e-5)));
  const y = graph.add(graph.mul(centred, factor), alongChannels(bias, x));
  const flat = (value: Value) => graph.reshape(value, mean.shape);
  return { x, y, axes, mean, deviation, average: flat(average), variance: flat(variance) };
}

/** Scale and bias are one number a group in opset 18, and one a channel since 21. */
function groupNormalization(call: Call): Value {
  const [x, scale, bias] = [0, 1, 2].map(call.input);
  const groups = call.required("num_groups", "int");
  const [batch, channels, ...inner] = x.shape;
  if (typeof channels !== "number" || channels % groups !== 0)
    return call.fail(`${channels} channels are not ${groups} equal groups`);
  const grouped: Shape = [batch, groups, channels / groups, ...inner];
  const apart = graph.reshape(x, grouped);
  const axes = grouped.map((_, axis) => axis).slice(2);
  const { normalized } = standardized(apart, axes, call.float("epsilon", 1e-5));
  const perChannel = (values: Value) =>
    values.shape[0] === groups && groups !== channels
      ? graph.repeatEach(values, [channels / groups])
      : values;
  const y = graph.reshape(normalized, x.shape);
  return graph.add(graph.mul(y, alongChannels(perChannel(scale), x)), alongChannels(perChannel(bias), x));
}

/** x / (bias + α/size · Σ x²)^β, the sum over the channels around. https://onnx.ai/onnx/operators/onnx__LRN.html */
function localResponse(call: Call): Value {
  const x = call.input(0);
  const size = call.required("size", "int");
  const channels = x.shape[1];
  if (typeof channels !== "number") return call.fail(`the number of channels, ${channels}, is not known`);
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const squares = graph.square(x);
  const around = x.shape.map((_, axis): [number, number] => (axis === 1 ? [before, after] : [0, 0]));
  const padded = graph.pad(squares, around);
  const parts = Array.from({ length: size }, (_, i) =>
    graph.slice(padded, [{ axis: 1, start: i, end: i + channels }]),
  );
  const sums = graph.mul(graph.sumOf(parts), call.float("alpha", 1e-4) / size);
  return graph.div(x, graph.pow(graph.add(sums, call.float("bias", 1)), call.float("beta", 0.75)));
}
