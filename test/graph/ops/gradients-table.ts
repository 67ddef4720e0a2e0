import {
  abs,
  add,
  cast,
  concat,
  constant,
  div,
  equal,
  exp,
  expandLike,
  gemm,
  greater,
  leakyRelu,
  log,
  maximum,
  mean,
  mul,
  neg,
  relu,
  reshape,
  shapeOf,
  sigmoid,
  sign,
  softplus,
  split,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  tanh,
  transpose,
  type Value,
  where,
} from "../../../src/graph/index.js";
import type * as ops from "../../../src/graph/ops/index.js";
import type { Operator } from "../../../src/graph/value.js";
import type { GradientCase } from "../../helpers/check-gradients.js";
import { convolutions, transposedConvolutions, weightGradients } from "./gradients-table-conv.js";
import { elementGathers, gathers, scatters } from "./gradients-table-gather.js";

type Ops = typeof ops;
/** The names under which operators are exported. */
type OpName = {
  [K in keyof Ops]: Ops[K] extends { readonly operator: Operator } ? K : never;
}[keyof Ops];

type Binary = (a: Value, b: Value) => Value;

/** What every operator of two operands must get right: all ways in which shapes broadcast. */
function broadcasting(f: Binary, options: Partial<GradientCase> = {}): GradientCase[] {
  return [
    {
      about: "equal shapes",
      inputs: [
        ["batch", 2],
        ["batch", 2],
      ],
      f,
      ...options,
    },
    { about: "a row under a matrix", inputs: [["batch", 4], [4]], f, ...options },
    { about: "a scalar first", inputs: [[], [2, 3]], f, ...options },
    {
      about: "a column and a row",
      inputs: [
        ["batch", 1],
        [1, 2],
      ],
      f,
      ...options,
    },
    {
      about: "both repeated, ranks differ",
      inputs: [
        [4, 1, 2],
        ["batch", 1],
      ],
      f,
      ...options,
    },
    { about: "the same value twice", inputs: [[3]], f: (x) => f(x, scaled(x)), ...options },
  ];
}

/** Samples are multiples of 1/64, so half of that keeps two of them apart. */
const apart = (x: Value) => add(x, 1 / 128);
const scaled = (x: Value) => mul(x, 1.5);
const unary = (f: (x: Value) => Value, options: Partial<GradientCase> = {}): GradientCase[] => [
  { about: "a matrix", inputs: [["batch", 4]], f, ...options },
  { about: "a scalar", inputs: [[]], f, ...options },
];
const condition = constant("bool", [2, 1], Uint8Array.of(1, 0));

export const table = {
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
  tanh: unary((x) => tanh(x)),
  sigmoid: unary((x) => sigmoid(x)),
  softplus: unary((x) => softplus(x)),
  relu: unary((x) => relu(x)),
  leakyReluOp: unary((x) => leakyRelu(x, 0.2)),

  sumOp: reductions(sum),
  meanOp: [
    ...reductions(mean),
    { about: "over an input's scaled axis", inputs: [["2*batch", 2]], f: (x) => mean(x, [0]) },
    { about: "over two symbolic axes", inputs: [["steps", "batch"]], f: (x) => mean(x) },
    { about: "over a scaled axis", inputs: [["batch", 2]], f: (x) => mean(concat([x, square(x)], 0), [0]) },
  ],

  gemmOp: gemms(),

  convOp: convolutions,
  convTransposeOp: transposedConvolutions,
  weightGradientOp: weightGradients,

  reshapeOp: [
    { about: "flattened", inputs: [["batch", 2, 3]], f: (x) => reshape(x, ["batch", 6]) },
    { about: "the batch moves", inputs: [["batch", 2, 2]], f: (x) => reshape(x, ["2*batch", 2]) },
    {
      about: "two symbols stay",
      inputs: [["steps", "batch", 4]],
      f: (x) => reshape(x, ["steps", "batch", 2, 2]),
    },
    { about: "to a scalar", inputs: [[1, 1]], f: (x) => reshape(x, []) },
  ],
  transposeOp: [
    { about: "a matrix", inputs: [["batch", 4]], f: (x) => transpose(x, [1, 0]) },
    // Its own inverse is another permutation, so an inverted one shows.
    { about: "a cycle", inputs: [["batch", 2, 4]], f: (x) => transpose(x, [2, 0, 1]) },
    { about: "negative axes", inputs: [[2, 3, 1, 2]], f: (x) => transpose(x, [-1, 0, -2, 1]) },
  ],
  expandOp: [
    {
      about: "rows",
      inputs: [
        [1, 2],
        ["batch", 2],
      ],
      f: (x, like) => mul(expandLike(x, like), like),
    },
    {
      about: "to a higher rank",
      inputs: [
        [2, 1],
        [3, 2, 2],
      ],
      f: (x, like) => mul(expandLike(x, like), like),
    },
    { about: "a scalar", inputs: [[], ["steps", "batch"]], f: (x, like) => mul(expandLike(x, like), like) },
  ],
  concatOp: [
    {
      about: "numbers of columns differ",
      inputs: [
        ["batch", 1],
        ["batch", 3],
      ],
      f: (a, b) => concat([a, b], 1),
    },
    {
      about: "along the batch",
      inputs: [
        ["batch", 2],
        ["batch", 2],
      ],
      f: (a, b) => concat([a, b], 0),
    },
    {
      about: "a negative axis, three parts",
      inputs: [
        [2, 2],
        [2, 1],
      ],
      f: (a, b) => concat([a, b, a], -1),
    },
  ],
  splitOp: [
    {
      about: "equal parts of the batch",
      inputs: [["batch", 2]],
      f: (x) => spliced(split(concat([x, neg(x)], 0), 0, 2)),
    },
    { about: "unequal parts", inputs: [["batch", 4]], f: (x) => spliced(split(x, 1, [1, 3])) },
    { about: "a part that nothing reads", inputs: [[2, 6]], f: (x) => split(x, -1, 3)[1] },
    {
      about: "a part read twice",
      inputs: [[5]],
      f: (x) => concat([...split(x, 0, [2, 3]), split(x, 0, [2, 3])[0]], 0),
    },
  ],
  gatherOp: gathers,
  gatherElementsOp: elementGathers,
  scatterElementsOp: scatters,

  // Those without a gradient count as constants: the gradient goes the other ways.
  stopGradient: [
    { about: "as a factor", inputs: [["batch", 2]], f: (x) => mul(sign(stopGradient(x)), square(x)) },
  ],
  sign: [{ about: "as a factor", inputs: [["batch", 2]], f: (x) => mul(sign(x), square(x)) }],
  greater: [
    { about: "as a condition", inputs: [[4], [4]], f: (a, b) => where(greater(a, apart(b)), square(a), b) },
  ],
  equal: [{ about: "as a condition", inputs: [[4]], f: (x) => where(equal(x, x), square(x), x) }],
  shapeOp: [
    {
      about: "as a factor",
      inputs: [["batch", 2]],
      f: (x) => mul(x, cast(shapeOf(x), { to: "float64" })),
    },
  ],
} satisfies Record<OpName, GradientCase[]>;

/** The operators whose rule is `null`, as it should be. */
export const withoutGradient = [
  "stopGradient",
  "sign",
  "greater",
  "equal",
  "shapeOp",
] as const satisfies readonly OpName[];

/** Something that every part counts in differently. */
function spliced([a, b]: readonly Value[]): Value {
  return add(mul(a, b), square(a));
}

function throughFloat64(x: Value): Value {
  return cast(square(cast(x, { to: "float64" })), { to: "float32" });
}

function reductions(reduce: typeof sum): GradientCase[] {
  return [
    { about: "over all", inputs: [["batch", 2, 3]], f: (x) => reduce(x) },
    { about: "over the batch", inputs: [["batch", 2, 2]], f: (x) => reduce(x, [0]) },
    { about: "over the last, kept", inputs: [["batch", 4]], f: (x) => reduce(x, [-1], { keepdims: true }) },
    { about: "over two, unordered", inputs: [[2, 3, 4]], f: (x) => reduce(x, [2, 0]) },
    { about: "over two, kept", inputs: [[2, "batch", 2]], f: (x) => reduce(x, [1, -3], { keepdims: true }) },
  ];
}

function gemms(): GradientCase[] {
  const orders = [false, true].flatMap((transA) => [false, true].map((transB) => ({ transA, transB })));
  const turned = (shape: readonly (string | number)[], turn: boolean) => (turn ? shape.toReversed() : shape);
  return [
    ...orders.map(({ transA, transB }) => ({
      about: `A${transA ? "ᵀ" : ""}·B${transB ? "ᵀ" : ""} + C, alpha and beta`,
      inputs: [turned(["batch", 2], transA), turned([2, 4], transB), [4]],
      f: (a: Value, b: Value, c: Value) => gemm(a, b, { c, transA, transB, alpha: 0.5, beta: -1.5 }),
    })),
    { about: "the sum of rows", inputs: [["batch", 2]], f: (x) => sum(x, [0]) },
    { about: "the sum of rows, kept", inputs: [[3, 2]], f: (x) => sum(x, [0], { keepdims: true }) },
    {
      about: "without C",
      inputs: [
        ["batch", 2],
        [2, 3],
      ],
      f: (a, b) => gemm(a, b),
    },
    {
      about: "C a column",
      inputs: [
        [3, 2],
        [2, 2],
        [3, 1],
      ],
      f: (a, b, c) => gemm(a, b, { c }),
    },
    { about: "C a scalar", inputs: [[3, 2], [2, 2], []], f: (a, b, c) => gemm(a, b, { c, beta: 2 }) },
    {
      about: "C a matrix",
      inputs: [
        ["batch", 2],
        [2, 2],
        ["batch", 2],
      ],
      f: (a, b, c) => gemm(a, b, { c }),
    },
    { about: "a matrix with itself", inputs: [[2, 2]], f: (a) => gemm(a, a, { transB: true }) },
  ];
}
