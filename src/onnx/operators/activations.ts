import * as graph from "../../graph/index.js";
import type { Rules } from "../call.js";
import { one } from "./elementwise.js";

export const activations: Rules = {
  Relu: one(graph.relu),
  LeakyRelu: (call) => graph.leakyReluOp(call.input(0), { alpha: call.float("alpha", 0.01) }),
  Sigmoid: one(graph.sigmoid),
  Softplus: one(graph.softplus),
  Tanh: one(graph.tanh),
};
