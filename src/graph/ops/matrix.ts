import { shapeError } from "../dims.js";
import { defineOp } from "../operator.js";
import type { Value } from "../value.js";
import { scale } from "./elementwise.js";
import { sameDType } from "./infer.js";

const schema = { transA: "int", transB: "int", alpha: "float", beta: "float" } as const;

function inferGemm(inputs: readonly Value[], { transA, transB }: { transA: number; transB: number }) {
  const [a, b, c] = inputs;
  const dtype = sameDType("Gemm", inputs);
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    throw shapeError("Gemm", "matrices are needed", [a.shape, b.shape]);
  }
  const [rows, inner] = transA ? [a.shape[1], a.shape[0]] : a.shape;
  const [inner2, columns] = transB ? [b.shape[1], b.shape[0]] : b.shape;
  if (inner !== inner2) throw shapeError("Gemm", "inner dimensions differ", [a.shape, b.shape]);
  const fits = (dim: unknown, target: unknown) => dim === undefined || dim === 1 || dim === target;
  if (c && (c.shape.length > 2 || !fits(c.shape.at(-1), columns) || !fits(c.shape.at(-2), rows))) {
    throw shapeError("Gemm", "C does not broadcast to the product", [c.shape, [rows, columns]]);
  }
  return { dtype, shape: [rows, columns] };
}

export const gemmOp = defineOp<[a: Value, b: Value, ...c: Value[]], typeof schema>({
  type: "Gemm",
  attributes: schema,
  infer: inferGemm,
  // With Y = αA'B' + βC: dA' = αgB'ᵀ, dB' = αA'ᵀg, dC = βg. A transposed operand gets the transpose of its gradient.
  vjp: ([a, b, c], _, g, { transA, transB, alpha, beta }) => [
    () =>
      transA
        ? gemm(b, g, { transA: transB === 1, transB: true, alpha })
        : gemm(g, b, { transB: transB === 0, alpha }),
    () =>
      transB
        ? gemm(g, a, { transA: true, transB: transA === 1, alpha })
        : gemm(a, g, { transA: transA === 0, alpha }),
    ...(c ? [() => scale(g, beta)] : []),
  ],
});

/** Options of {@link gemm}. By default nothing is transposed and both factors are 1. */
export interface GemmOptions {
  readonly c?: Value;
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
  readonly beta?: number;
}

/**
 * alpha · A'B' + beta · C of matrices [m, k] and [k, n]. C broadcasts to [m, n].
 * https://onnx.ai/onnx/operators/onnx__Gemm.html
 */
export function gemm(a: Value, b: Value, options: GemmOptions = {}): Value {
  const { c, transA = false, transB = false, alpha = 1, beta = 1 } = options;
  return gemmOp(a, b, ...(c ? [c] : []), { transA: Number(transA), transB: Number(transB), alpha, beta });
}
