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
  Dropout: (call) => {
    const inTraining = call.opset >= 12 && call.optional(2) !== undefined;
    if (inTraining) call.note("Dropout passes everything on, in training too");
    const x = call.input(0);
    return [x, graph.cast(graph.onesLike(x), { to: "bool" })];
  },
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
