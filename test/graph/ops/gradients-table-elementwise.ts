import {
  abs,
  add,
  cast,
  constant,
  div,
  equal,
  exp,
  greater,
  log,
  maximum,
  mul,
  neg,
  scale,
  sign,
  sqrt,
  square,
  stopGradient,
  sub,
  type Value,
  where,
} from "../../../src/graph/index.js";
import { apart, broadcasting, type Family, unary } from "./gradients-table-rows.js";

const condition = constant("bool", [2, 1], Uint8Array.of(1, 0));

export const elementwise = {
  add: broadcasting((a, b) => add(a, b)),
  sub: [...broadcasting((a, b) => sub(a, b)), { about: "from a number", inputs: [[3]], f: (x) => sub(1, x) }],
  mul: broadcasting((a, b) => mul(a, b)),
  div: [...broadcasting((a, b) => div(a, b)), { about: "of a number", inputs: [[3]], f: (x) => div(2, x) }],
  maximum: [
    ...broadcasting((a, b) => maximum(a, apart(b))),
    { about: "with a number", inputs: [["batch", 4]], f: (x) => maximum(x, 0.1) },
  ],
  neg: unary((x) => neg(x)),
  abs: unary((x) => abs(x)),
  exp: unary((x) => exp(x)),
  log: unary((x) => log(x), { positive: true }),
  sqrt: unary((x) => sqrt(x), { positive: true }),
  where: [
    ...broadcasting((a, b) => where(greater(a, apart(b)), mul(a, b), square(b))),
    { about: "the condition repeated", inputs: [[2, 3], [3]], f: (a, b) => where(condition, a, b) },
    { about: "operands repeated", inputs: [[], [3]], f: (a, b) => where(condition, a, b) },
    { about: "a number", inputs: [[2, 2]], f: (x) => where(condition, x, 0) },
  ],
  cast: [
    { about: "to float64", dtype: "float32", inputs: [["batch", 2]], f: (x) => cast(x, { to: "float64" }) },
    { about: "to float32 and back", dtype: "float32", inputs: [[3]], f: (x) => throughFloat64(x) },
  ],
  // Those without a gradient count as constants: the gradient goes the other ways.
  stopGradient: [
    { about: "as a factor", inputs: [["batch", 2]], f: (x) => mul(sign(stopGradient(x)), square(x)) },
  ],
  sign: [{ about: "as a factor", inputs: [["batch", 2]], f: (x) => mul(sign(x), square(x)) }],
  greater: [
    { about: "as a condition", inputs: [[4], [4]], f: (a, b) => where(greater(a, apart(b)), square(a), b) },
  ],
  equal: [{ about: "as a condition", inputs: [[4]], f: (x) => where(equal(x, x), square(x), x) }],

  square: unary((x) => square(x)),
  scale: [{ about: "by a number", inputs: [["batch", 2]], f: (x) => scale(x, 2) }],
} satisfies Family;

function throughFloat64(x: Value): Value {
  return cast(square(cast(x, { to: "float64" })), { to: "float32" });
}
