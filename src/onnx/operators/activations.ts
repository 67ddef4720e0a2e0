import * as graph from "../../graph/index.js";
import type { Rules } from "../call.js";
import { one } from "./elementwise.js";

export const activations: Rules = {
  Relu: one(graph.relu),
  LeakyRelu: (call) => graph.leakyReluOp(call.input(0), { alpha: call.float("alpha", 0.01) }),
  PRelu: (call) => graph.prelu(call.input(0), call.input(1)),
  ThresholdedRelu: (call) => graph.thresholdedRelu(call.input(0), call.float("alpha", 1)),
  Shrink: (call) => graph.shrink(call.input(0), call.float("bias", 0), call.float("lambd", 0.5)),
  Elu: (call) => graph.elu(call.input(0), call.float("alpha", 1)),
  Selu: (call) =>
    graph.selu(call.input(0), {
      alpha: call.float("alpha", 1.6732632423543772),
      gamma: call.float("gamma", 1.0507009873554805),
    }),
  Celu: (call) => graph.celu(call.input(0), call.float("alpha", 1)),
  Gelu: (call) => graph.gelu(call.input(0), call.string("approximate", "none") === "tanh" ? "tanh" : "none"),
  Sigmoid: one(graph.sigmoid),
  HardSigmoid: (call) => graph.hardSigmoid(call.input(0), call.float("alpha", 0.2), call.float("beta", 0.5)),
  HardSwish: one(graph.hardSwish),
  Swish: (call) => graph.swish(call.input(0), call.float("alpha", 1)),
  Mish: one(graph.mish),
  Softplus: one(graph.softplus),
  Softsign: one(graph.softsign),
  Tanh: one(graph.tanh),
};
