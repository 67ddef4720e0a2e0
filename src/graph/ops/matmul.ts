import { broadcastShapes, productOf, shapeError } from "../dims.js";
import { defineOp, type Op } from "../operator.js";
import type { Value } from "../value.js";
import { sameDType } from "./infer.js";
import { gemm } from "./matrix.js";
import { reshape, squeeze, transpose, unsqueeze } from "./reshape.js";

/** x with its last two axes swapped. */
function transposed(x: Value): Value {
  const axes = x.shape.map((_, axis) => axis);
  return transpose(x, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]);
}

/** The rows of all matrices of x as one matrix. */
function rowsOf(x: Value): Value {
  return reshape(x, [productOf(x.shape.slice(0, -1)), x.shape[x.shape.length - 1]]);
}

export const matmulOp: Op<[a: Value, b: Value]> = defineOp<[a: Value, b: Value]>({
  type: "MatMul",
  infer: (inputs) => {
    const shapes = inputs.map(({ shape }) => shape);
    const dtype = sameDType("MatMul", inputs);
    if (shapes.some(({ length }) => length < 2)) throw shapeError("MatMul", "matrices are needed", shapes);
    const [[rows, inner], [inner2, columns]] = shapes.map((shape) => shape.slice(-2));
    if (inner !== inner2) throw shapeError("MatMul", "inner dimensions differ", shapes);
    const batch = broadcastShapes(
      "MatMul",
      shapes.map((shape) => shape.slice(0, -2)),
    );
    return { dtype, shape: [...batch, rows, columns] };
  },
  // dA = g·Bᵀ, dB = Aᵀ·g. If B is one matrix for the whole batch, its gradient is one product over all rows.
  vjp: ([a, b], _, g) =>
    b.shape.length === 2
      ? [
          () => (a.shape.length === 2 ? gemm(g, b, { transB: true }) : matmulOp(g, transposed(b))),
          () => gemm(rowsOf(a), rowsOf(g), { transA: true }),
        ]
      : [() => matmulOp(g, transposed(b)), () => matmulOp(transposed(a), g)],
});

/**
 * The matrix product, as numpy.matmul: the axes before the last two broadcast. A vector on the left is a row, a vector
 * on the right is a column; the result does not have that axis. https://onnx.ai/onnx/operators/onnx__MatMul.html
 */
export function matmul(a: Value, b: Value): Value {
  const [row, column] = [a.shape.length === 1, b.shape.length === 1];
  const product = matmulOp(row ? unsqueeze(a, [0]) : a, column ? unsqueeze(b, [1]) : b);
  return squeeze(product, [...(row ? [-2] : []), ...(column ? [-1] : [])]);
}
