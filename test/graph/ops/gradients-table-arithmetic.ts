import {
  acos,
  acosh,
  add,
  and,
  asin,
  asinh,
  atan,
  atanh,
  cast,
  ceil,
  clip,
  constant,
  cos,
  cosh,
  erf,
  floor,
  greaterOrEqual,
  isInfOp,
  isNaNOp,
  less,
  lessOrEqual,
  maximumOf,
  meanOf,
  minimum,
  minimumOf,
  modOp,
  mul,
  not,
  or,
  pow,
  reciprocal,
  round,
  scalar,
  sin,
  sinh,
  square,
  sumOf,
  tan,
  type Value,
  where,
  xor,
} from "../../../src/graph/index.js";
import { apart, type Binary, broadcasting, type Family, scaled, unary } from "./gradients-table-rows.js";

const half = (x: Value) => mul(x, 0.5);
const three = [["batch", 2], [2], ["batch", 1]];

/** Without a gradient: the gradient goes the other ways. */
const chooses = (condition: Binary) => [
  {
    about: "as a condition",
    inputs: [[4], [4]],
    f: (a: Value, b: Value) => where(condition(a, b), square(a), b),
  },
];
const positive = (x: Value) => less(0, x);
const step = (f: (x: Value) => Value) => [
  { about: "as a factor", inputs: [["batch", 2]], f: (x: Value) => mul(f(apart(mul(x, 4))), square(x)) },
];

export const arithmetic = {
  sin: unary((x) => sin(x)),
  cos: unary((x) => cos(x)),
  tan: unary((x) => tan(half(x)), { dtype: "float32" }),
  asin: unary((x) => asin(half(x)), { dtype: "float32" }),
  acos: unary((x) => acos(half(x)), { dtype: "float32" }),
  atan: unary((x) => atan(x), { dtype: "float32" }),
  sinh: unary((x) => sinh(x), { dtype: "float32" }),
  cosh: unary((x) => cosh(x), { dtype: "float32" }),
  asinh: unary((x) => asinh(x), { dtype: "float32" }),
  acosh: unary((x) => acosh(add(x, 1.5)), { dtype: "float32", positive: true }),
  atanh: unary((x) => atanh(half(x)), { dtype: "float32" }),
  erf: unary((x) => erf(x), { dtype: "float32" }),
  floor: step(floor),
  ceil: step(ceil),
  round: step(round),

  minimum: [
    ...broadcasting((a, b) => minimum(a, apart(b))),
    { about: "with a number", inputs: [["batch", 4]], f: (x) => minimum(x, 0.1) },
  ],
  reciprocal: unary((x) => reciprocal(x)),
  powOp: [
    ...broadcasting(pow, { positive: true }),
    { about: "of a number", inputs: [["batch", 2]], f: (x) => pow(scalar(2, "float64"), x) },
    { about: "a whole number", inputs: [["batch", 4]], f: (x) => pow(x, 5) },
    { about: "another number", inputs: [["batch", 2]], f: (x) => pow(x, -1.5), positive: true },
    {
      about: "exponents that are whole",
      inputs: [[4]],
      f: (x) => pow(x, constant("float64", [4], Float64Array.of(0, 1, 2, 3))),
    },
    {
      about: "exponents of another dtype",
      inputs: [[2]],
      f: (x) => pow(x, constant("int64", [2], BigInt64Array.of(4n, -1n))),
    },
  ],
  pow: [-1, 0.5, 1, 2, 3].flatMap((exponent) =>
    unary((x) => pow(x, exponent), { positive: exponent === 0.5 }),
  ),
  clipOp: [
    {
      about: "between values",
      inputs: [[3, 4], [], []],
      f: (x, low, high) => clip(x, apart(mul(low, 0.5)), apart(mul(high, 1.5))),
    },
    { about: "in a range that is empty", inputs: [[4]], f: (x) => add(x, clip(x, 2.5, 1.5)) },
  ],
  clip: unary((x) => clip(x, -65 / 128, 65 / 128)),
  modOp: [
    ...broadcasting((a, b) => modOp(mul(a, 3), add(b, 0.0123), { fmod: 1 }), { positive: true }),
    {
      about: "negative numbers",
      inputs: [[6], [6]],
      f: (a, b) => modOp(mul(a, 3), add(b, 0.0123), { fmod: 1 }),
    },
  ],
  sumOf: [{ about: "three", inputs: three, f: (...xs) => sumOf(xs) }],
  meanOf: [
    { about: "three", inputs: three, f: (...xs) => meanOf(xs) },
    { about: "one", inputs: [[3]], f: (x) => meanOf([x]) },
  ],
  maximumOf: [
    { about: "three", inputs: three, f: (a, b, c) => maximumOf([a, apart(b), apart(apart(scaled(c)))]) },
  ],
  minimumOf: [
    { about: "three", inputs: three, f: (a, b, c) => minimumOf([a, apart(b), apart(apart(scaled(c)))]) },
  ],

  less: chooses((a, b) => less(a, apart(b))),
  greaterOrEqual: chooses((a, b) => greaterOrEqual(a, apart(b))),
  lessOrEqual: chooses((a, b) => lessOrEqual(a, apart(b))),
  and: chooses((a, b) => and(positive(a), positive(b))),
  or: chooses((a, b) => or(positive(a), positive(b))),
  xor: chooses((a, b) => xor(positive(a), positive(b))),
  not: chooses((a) => not(positive(a))),
  isNaNOp: chooses((a) => isNaNOp(a)),
  isInfOp: chooses((a) => isInfOp(cast(a, { to: "float32" }), { detect_negative: 1, detect_positive: 1 })),
} satisfies Family;
