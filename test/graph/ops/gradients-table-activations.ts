import {
  celu,
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  mish,
  prelu,
  relu,
  selu,
  shrink,
  sigmoid,
  softplus,
  softsign,
  swish,
  tanh,
  thresholdedRelu,
} from "../../../src/graph/index.js";
import { type Family, unary } from "./gradients-table-rows.js";

const float32 = { dtype: "float32" } as const;
// No sample lies at any of these bends.
const bend = 33 / 128;

export const activations = {
  tanh: unary((x) => tanh(x)),
  sigmoid: unary((x) => sigmoid(x)),
  softplus: unary((x) => softplus(x)),
  relu: unary((x) => relu(x)),
  leakyReluOp: unary((x) => leakyRelu(x, 0.2)),
  leakyRelu: [
    ...unary((x) => leakyRelu(x, 1.5)),
    { about: "a negative slope", inputs: [["batch", 4]], f: (x) => leakyRelu(x, -0.5) },
  ],
  eluOp: unary((x) => elu(x, 1.5), float32),
  elu: unary((x) => elu(x), float32),
  selu: unary((x) => selu(x), float32),
  celu: [...unary((x) => celu(x, 0.5), float32), ...unary((x) => celu(x), float32)],
  gelu: [...unary((x) => gelu(x), float32), ...unary((x) => gelu(x, "tanh"))],
  swish: [...unary((x) => swish(x)), ...unary((x) => swish(x, 1.5))],
  mish: unary((x) => mish(x)),
  softsign: unary((x) => softsign(x)),
  prelu: [
    { about: "a slope", inputs: [["batch", 4], []], f: prelu },
    {
      about: "a slope for each channel",
      inputs: [
        ["batch", 3, 1, 2],
        [3, 1, 1],
      ],
      f: prelu,
    },
    { about: "a number", inputs: [["batch", 4]], f: (x) => prelu(x, 0.25) },
  ],
  hardSigmoid: [...unary((x) => hardSigmoid(x)), ...unary((x) => hardSigmoid(x, bend * 4, 0.25))],
  hardSwish: unary((x) => hardSwish(x)),
  thresholdedRelu: unary((x) => thresholdedRelu(x, bend)),
  shrink: unary((x) => shrink(x, 0.25, bend)),
} satisfies Family;
