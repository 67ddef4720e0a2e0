import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import type { Call, Rules } from "../call.js";

export const layers: Rules = {
  MatMul: (call) => graph.matmul(call.input(0), call.input(1)),
  Gemm: (call) => {
    const [a, b, c] = [call.input(0), call.input(1), call.optional(2)];
    const [alpha, beta] = [call.float("alpha", 1), call.float("beta", 1)];
    return graph.gemm(a, b, {
      c,
      alpha,
      beta,
      transA: call.int("transA", 0) === 1,
      transB: call.int("transB", 0) === 1,
    });
  },
  Conv: (call) => graph.convOp(...convInputs(call), geometryOf(call)),
  ConvTranspose: (call) =>
    graph.convTransposeOp(...convInputs(call), {
      ...geometryOf(call),
      output_padding: call.ints("output_padding") ?? [0, 0],
    }),
  BatchNormalization: batchNormalization,
  Dropout: (call) => call.input(0),
};

function convInputs(call: Call): [Value, Value, ...Value[]] {
  const bias = call.optional(2);
  return [call.input(0), call.input(1), ...(bias ? [bias] : [])];
}

function geometryOf(call: Call) {
  if (call.int("group", 1) !== 1) call.fail("groups");
  const ones = [1, 1];
  return {
    strides: call.ints("strides") ?? ones,
    dilations: call.ints("dilations") ?? ones,
    pads: call.ints("pads") ?? [0, 0, 0, 0],
  };
}

/** https://onnx.ai/onnx/operators/onnx__BatchNormalization.html */
function batchNormalization(call: Call): Value {
  const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map(call.input);
  const column = (value: Value) => graph.reshape(value, [value.shape[0], ...x.shape.slice(2).map(() => 1)]);
  const slope = graph.div(scale, graph.sqrt(graph.add(variance, call.float("epsilon", 1e-5))));
  const offset = graph.sub(bias, graph.mul(mean, slope));
  return graph.add(graph.mul(x, column(slope)), column(offset));
}
