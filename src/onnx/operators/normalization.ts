import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import type { Call, Rules } from "../call.js";
import { axisOf } from "./shapes.js";

/** Operators that normalize by statistics. */
export const normalization: Rules = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: (call) => graph.instanceNorm(call.input(0), options(call)),
  LayerNormalization: layerNormalization,
  RMSNormalization: (call) => graph.rmsNorm(call.input(0), call.int("axis", -1), options(call)),
  GroupNormalization: (call) =>
    graph.groupNorm(call.input(0), call.required("num_groups", "int"), options(call)),
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
  LRN: (call) =>
    graph.localResponseNorm(call.input(0), {
      size: call.required("size", "int"),
      alpha: call.float("alpha", 1e-4),
      beta: call.float("beta", 0.75),
      bias: call.float("bias", 1),
    }),
};

/** Scale, bias and epsilon, at their usual positions. */
function options(call: Call) {
  return {
    scale: call.optional(1),
    bias: call.optional(2),
    epsilon: call.float("epsilon", 1e-5),
  };
}

/**
 * Inference uses the statistics in the model. Training uses those of the batch and updates the running ones: as ONNX
 * defines it if the node is in training mode, otherwise as in PyTorch, with the unbiased variance, because most such
 * nodes come from PyTorch layers.
 */
function batchNormalization(call: Call): Value | readonly Value[] {
  const [mean, variance] = [call.input(3), call.input(4)];
  const own = call.int("training_mode", 0) === 1;
  if (!own && !call.training) return graph.batchNorm(call.input(0), { mean, variance }, options(call));
  const { y, running } = graph.batchNormTraining(
    call.input(0),
    { mean, variance },
    { ...options(call), momentum: call.float("momentum", 0.9), unbiased: !own },
  );
  if (own) return [y, running.mean, running.variance];
  call.record(mean, running.mean);
  call.record(variance, running.variance);
  return y;
}

/** Mean and inverse deviation are optional outputs. */
function layerNormalization(call: Call): Value | readonly Value[] {
  const x = call.input(0);
  const axis = call.int("axis", -1);
  const { epsilon } = options(call);
  const y = graph.layerNorm(x, axis, options(call));
  if (call.node.outputs.length === 1) return y;
  const axes = x.shape.map((_, i) => i).slice(axisOf(call, axis, x));
  const average = graph.mean(x, axes, { keepdims: true });
  const variance = graph.mean(graph.square(graph.sub(x, average)), axes, { keepdims: true });
  return [y, average, graph.div(1, graph.sqrt(graph.add(variance, epsilon)))];
}
