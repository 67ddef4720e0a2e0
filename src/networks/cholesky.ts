import {
  add,
  concat,
  constant,
  div,
  gather,
  loop,
  mul,
  reshape,
  row,
  scalar,
  slice,
  sqrt,
  sub,
  sum,
  transpose,
  type Value,
} from "../graph/index.js";
import { identityMatrix } from "./conv.js";

/**
 * Cholesky factors L of symmetric positive definite matrices A = L·Lᵀ, and W = L⁻¹: [n, size, size] each. (ONNX has no
 * operator for either.) Gaussian elimination on [A | I], column by column for all matrices at once, gives [D·Mᵀ | M⁻¹]
 * with A = M·D·Mᵀ, where M has ones on its diagonal: L = M·√D and W = M⁻¹ / √D (Golub and Van Loan 2013, section 4.1).
 */
export function factorized(matrices: Value, n: number, size: number): { factors: Value; whitening: Value } {
  const unit = add(mul(matrices, 0), identityMatrix(size));
  const below = constant(
    "float32",
    [size, size],
    Float32Array.from({ length: size * size }, (_, i) => +(i % size > Math.floor(i / size))),
  );
  const { state } = loop(
    scalar(size, "int64"),
    "columns",
    { rows: concat([matrices, unit], 2) },
    (column, { rows }) => {
      const pivots = gather(rows, column, 1);
      const ratios = div(gather(rows, column, 2), reshape(gather(pivots, column, 1), [n, 1]));
      const eliminated = mul(ratios, row(below, column));
      const next = sub(rows, mul(reshape(eliminated, [n, size, 1]), reshape(pivots, [n, 1, 2 * size])));
      return { state: { rows: next }, collected: {} };
    },
  );
  const upper = slice(state.rows, [{ axis: 2, start: 0, end: size }]);
  const inverse = slice(state.rows, [{ axis: 2, start: size, end: 2 * size }]);
  const roots = sqrt(diagonals(upper, size));
  return {
    factors: transpose(div(upper, reshape(roots, [n, size, 1])), [0, 2, 1]),
    whitening: div(inverse, reshape(roots, [n, size, 1])),
  };
}

/** The diagonals [n, size] of matrices [n, size, size]. */
export function diagonals(matrices: Value, size: number): Value {
  return sum(mul(matrices, identityMatrix(size)), [2]);
}
