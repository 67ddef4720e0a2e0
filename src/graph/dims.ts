import { GanOnnxError } from "../error.js";
import { sizeOf } from "../tensors/tensor.js";

/** One dimension of a shape: a number, or a symbol such as `batch`, optionally scaled: `2*batch`. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** A dimension as a coefficient and a symbol. The symbol of a number is empty. */
function split(dim: Dim): { coefficient: number; symbol: string } {
  if (typeof dim === "number") return { coefficient: dim, symbol: "" };
  const scaled = /^(\d+)\*(.+)$/.exec(dim);
  return scaled ? { coefficient: Number(scaled[1]), symbol: scaled[2] } : { coefficient: 1, symbol: dim };
}

function join(coefficient: number, symbol: string): Dim {
  if (symbol === "" || coefficient === 0) return coefficient;
  const [whole, symbols] = reduced(coefficient, symbol);
  return whole === 1 ? symbols : `${whole}*${symbols}`;
}

/** The form of a quotient that {@link divideExactly} returns. */
const quotient = /^\((.+)\/(\d+)\)$/;

/** Cancel common factors: 2*(batch/4) becomes (batch/2). */
function reduced(coefficient: number, symbol: string): [number, string] {
  if (!symbol.includes("/")) return [coefficient, symbol];
  let rest = coefficient;
  const symbols = symbol.split("*").map((each) => {
    const [, over, divisor] = quotient.exec(each) ?? [];
    if (over === undefined) return each;
    const common = greatestCommonDivisor(rest, Number(divisor));
    rest /= common;
    return common === Number(divisor) ? over : `(${over}/${Number(divisor) / common})`;
  });
  return [rest, symbols.sort().join("*")];
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** dim / parts, where the caller guarantees that it divides: `(batch/2)` for an even batch. */
export function divideExactly(dim: Dim, parts: number): Dim {
  const { coefficient, symbol } = split(dim);
  const exact = divideDim(dim, parts);
  if (exact !== undefined) return exact;
  const common = greatestCommonDivisor(coefficient, parts);
  const [first, ...others] = symbol.split("*");
  return productOf([coefficient / common, `(${first}/${parts / common})`, ...others]);
}

/** The symbol and the coefficient of a dimension: `2*batch` is `{ symbol: "batch", coefficient: 2 }`. */
export const symbolOf = split;

/** A shape as written in messages: `[2*batch, 784]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

export function isStatic(shape: Shape): shape is readonly number[] {
  return shape.every((dim) => typeof dim === "number");
}

/** a + b, or undefined when the symbols differ. */
export function addDims(a: Dim, b: Dim): Dim | undefined {
  if (a === 0) return b;
  if (b === 0) return a;
  const [left, right] = [split(a), split(b)];
  if (left.symbol !== right.symbol) return undefined;
  return join(left.coefficient + right.coefficient, left.symbol);
}

/** dim / parts, or undefined when it does not divide for every value of the symbol. */
export function divideDim(dim: Dim, parts: number): Dim | undefined {
  const { coefficient, symbol } = split(dim);
  return coefficient % parts === 0 ? join(coefficient / parts, symbol) : undefined;
}

/** The product of all dimensions, with symbols in alphabetical order: `6*batch*steps`. */
export function productOf(shape: Shape): Dim {
  const factors = shape.map(split);
  const symbols = factors.flatMap(({ symbol }) => (symbol === "" ? [] : symbol.split("*")));
  return join(sizeOf(factors.map(({ coefficient }) => coefficient)), symbols.sort().join("*"));
}

/**
 * The shape that several shapes broadcast to, by numpy's rule:
 * https://github.com/onnx/onnx/blob/main/docs/Broadcasting.md
 *
 * @throws {@link GanOnnxError} when the shapes do not broadcast.
 */
export function broadcastShapes(operator: string, shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let result: Dim = 1;
    for (const shape of shapes) {
      const dim = shape[axis - rank + shape.length] ?? 1;
      if (dim === 1 || dim === result) continue;
      if (result !== 1) throw shapeError(operator, "shapes do not broadcast", shapes);
      result = dim;
    }
    return result;
  });
}

/** The error of an operator with invalid shapes. */
export function shapeError(operator: string, what: string, shapes: readonly Shape[]): GanOnnxError {
  return new GanOnnxError({
    what: `${what}: ${shapes.map(formatShape).join(" and ")}`,
    where: operator,
    fix: "pass values of matching shapes",
  });
}
