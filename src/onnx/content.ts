import { addDims, type Dim, productOf, symbolOf } from "../graph/dims.js";
import { constant, type Value } from "../graph/index.js";
import { isFloat } from "../graph/value.js";
import { elementsOf, sizeOf } from "../tensors/tensor.js";

// Exporters compute shapes with operators: Shape, Gather, Concat, Reshape. While a model is read, the content of such
// values is tracked as far as sizes are known: an element is a number, or the size of a symbol.

/** The content of a small value, in order of elements: numbers (bools are 0 and 1) and symbolic sizes. */
export interface Content {
  readonly shape: readonly number[];
  readonly elements: readonly Dim[];
}

/** The maximum number of tracked elements. Shapes have fewer. */
const MOST = 256;

const contents = new WeakMap<Value, Content>();

/** The tracked content of a value. Parameters are excluded: folding them would cut their gradients. */
export function contentOf(value: Value): Content | undefined {
  const tracked = contents.get(value);
  if (tracked || value.origin.kind !== "constant" || isParameter(value)) return tracked;
  const { shape, data } = value.origin.tensor;
  return data.length > MOST ? undefined : { shape, elements: Array.from(data, Number) };
}

/** Named constants of floats are weights; other constants have no name. */
function isParameter({ dtype, origin }: Value): boolean {
  return isFloat(dtype) && origin.kind === "constant" && origin.name !== undefined;
}

/** The numbers of a value, if all are known. */
export function numbersIn(value: Value): readonly number[] | undefined {
  if (value.origin.kind === "constant") return Array.from(value.origin.tensor.data, Number);
  const elements = contentOf(value)?.elements;
  return elements?.every((each) => typeof each === "number") ? elements : undefined;
}

/** Store the content of a value. If all elements are numbers, return a constant instead. */
export function withContent(value: Value, content: Content): Value {
  if (content.elements.length > MOST) return value;
  const { elements, shape } = content;
  if (elements.every((each) => typeof each === "number"))
    return constant(value.dtype, shape, elementsOf(value.dtype, elements));
  contents.set(value, content);
  return value;
}

// Arithmetic on sizes. A result that is not a multiple of one product of symbols becomes a new symbol, named after its
// expression, so equal expressions give equal symbols: `(batch+1)`.

type Two = (a: Dim, b: Dim) => Dim;

/** A symbol for a result that dimensions cannot express. */
function named(text: string): string {
  return `(${text.replaceAll("*", "·")})`;
}

const numeric =
  (ofNumbers: (a: number, b: number) => number, otherwise: Two): Two =>
  (a, b) =>
    typeof a === "number" && typeof b === "number" ? ofNumbers(a, b) : otherwise(a, b);

export const plus = numeric(
  (a, b) => a + b,
  (a, b) => addDims(a, b) ?? named(`${a}+${b}`),
);

export const minus = numeric(
  (a, b) => a - b,
  (a, b) => {
    if (b === 0) return a;
    const [left, right] = [symbolOf(a), symbolOf(b)];
    const rest = left.coefficient - right.coefficient;
    return left.symbol === right.symbol && rest >= 0 ? productOf([rest, left.symbol]) : named(`${a}-${b}`);
  },
);

export const times = numeric(
  (a, b) => a * b,
  (a, b) => {
    const whole = [a, b].every((each) => typeof each === "string" || (Number.isInteger(each) && each >= 0));
    return whole ? productOf([a, b]) : over(a, b);
  },
);

/** a · b for a size and a fraction, where the product is whole: 2*batch times 0.5. */
function over(a: Dim, b: Dim): Dim {
  const [size, factor] = typeof a === "string" ? [a, Number(b)] : [String(b), a];
  const { coefficient, symbol } = symbolOf(size);
  const product = coefficient * factor;
  return Number.isInteger(product) && product >= 0 ? productOf([product, symbol]) : named(`${a}*${b}`);
}

/** The quotient. For integers it is rounded towards zero, as by ONNX's Div. */
export const quotient =
  (whole: boolean): Two =>
  (a, b) => {
    if (typeof a === "number" && typeof b === "number") return whole ? Math.trunc(a / b) : a / b;
    const [left, right] = [symbolOf(a), symbolOf(b)];
    const ratio = left.coefficient / right.coefficient;
    if (left.symbol === right.symbol && Number.isInteger(ratio)) return ratio;
    if (typeof b === "number" && Number.isInteger(ratio) && ratio > 0) return productOf([ratio, left.symbol]);
    return named(`floor ${a}/${b}`);
  };

export const remainder =
  (fmod: boolean): Two =>
  (a, b) => {
    if (typeof a === "number" && typeof b === "number") {
      const rest = a % b;
      return !fmod && rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
    }
    const divides = typeof b === "number" && b !== 0 && symbolOf(a).coefficient % b === 0;
    return divides || a === b ? 0 : named(`${a}%${b}`);
  };

/** Whether a and b are equal, as 0 or 1; undefined if it depends on a size. Sizes are not negative. */
export function same(a: Dim, b: Dim): number | undefined {
  if (a === b) return 1;
  if (typeof a === "number" && typeof b === "number") return 0;
  return [a, b].some((each) => typeof each === "number" && (each < 0 || !Number.isInteger(each)))
    ? 0
    : undefined;
}

/** The smaller or the larger one. A number <= 0 can be compared with a size, because sizes are not negative. */
export function extreme(pick: "min" | "max"): Two {
  return numeric(Math[pick], (a, b) => {
    if (a === b) return a;
    const number = [a, b].find((each) => typeof each === "number");
    if (number !== undefined && number <= 0) return pick === "min" ? number : typeof a === "string" ? a : b;
    return named(`${pick} ${[a, b].sort().join(",")}`);
  });
}

/** Content with a shape; undefined when the number of elements does not match. */
export function content(shape: readonly number[], elements: readonly Dim[]): Content | undefined {
  return sizeOf(shape) === elements.length ? { shape, elements } : undefined;
}
