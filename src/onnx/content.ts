import { addDims, type Dim, productOf, symbolOf } from "../graph/dims.js";
import { constant, type Value } from "../graph/index.js";
import { isFloat } from "../graph/value.js";
import { elementsOf, sizeOf } from "../tensors/tensor.js";

// Exporters compute shapes by operators: Shape, Gather, Concat, Reshape. What such values hold is followed while a
// model is read, as far as sizes are known: an element is a number, or the size that a symbol stands for.

/** What a small value holds, in the order of its elements: numbers (bools are 0 and 1) and symbolic sizes. */
export interface Content {
  readonly shape: readonly number[];
  readonly elements: readonly Dim[];
}

/** Values of more elements are no shapes, and not followed. */
const MOST = 256;

const contents = new WeakMap<Value, Content>();

/**
 * What a value holds, where that is followed: not what is learnt, which computing now would cut off from its gradient.
 */
export function contentOf(value: Value): Content | undefined {
  const known = contents.get(value);
  if (known || value.origin.kind !== "constant" || isLearnt(value)) return known;
  const { shape, data } = value.origin.tensor;
  return data.length > MOST ? undefined : { shape, elements: Array.from(data, Number) };
}

/** Constants with names are weights: what else is constant has none. */
function isLearnt({ dtype, origin }: Value): boolean {
  return isFloat(dtype) && origin.kind === "constant" && origin.name !== undefined;
}

/** The numbers that a value holds, if all of them are known. */
export function numbersIn(value: Value): readonly number[] | undefined {
  if (value.origin.kind === "constant") return Array.from(value.origin.tensor.data, Number);
  const elements = contentOf(value)?.elements;
  return elements?.every((each) => typeof each === "number") ? elements : undefined;
}

/** The value, of which its content is remembered; a constant in its place where all of that is numbers. */
export function withContent(value: Value, content: Content): Value {
  if (content.elements.length > MOST) return value;
  const { elements, shape } = content;
  if (elements.every((each) => typeof each === "number"))
    return constant(value.dtype, shape, elementsOf(value.dtype, elements));
  contents.set(value, content);
  return value;
}

// Arithmetic on sizes. What is no multiple of one product of symbols becomes a symbol of its own, named after how it is
// computed, so that what is computed alike is equal: `(batch+1)`.

type Two = (a: Dim, b: Dim) => Dim;

/** A symbol for the result of an operation that dimensions cannot express. */
function named(text: string): string {
  return `(${text.replaceAll("*", "·")})`;
}

const numeric =
  (known: (a: number, b: number) => number, otherwise: Two): Two =>
  (a, b) =>
    typeof a === "number" && typeof b === "number" ? known(a, b) : otherwise(a, b);

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

/** a · b of a size and a number that is not whole, where the product is: 2*batch times 0.5. */
function over(a: Dim, b: Dim): Dim {
  const [size, factor] = typeof a === "string" ? [a, Number(b)] : [String(b), a];
  const { coefficient, symbol } = symbolOf(size);
  const product = coefficient * factor;
  return Number.isInteger(product) && product >= 0 ? productOf([product, symbol]) : named(`${a}*${b}`);
}

/** The quotient, rounded towards zero for whole numbers as ONNX's Div does. */
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

/** Whether a and b are equal, 0 or 1; undefined where that depends on a size. Sizes are not negative. */
export function same(a: Dim, b: Dim): number | undefined {
  if (a === b) return 1;
  if (typeof a === "number" && typeof b === "number") return 0;
  return [a, b].some((each) => typeof each === "number" && (each < 0 || !Number.isInteger(each)))
    ? 0
    : undefined;
}

/** The smaller or the larger one; what a number below 0 is, compared with a size, is known. */
export function extreme(pick: "min" | "max"): Two {
  return numeric(Math[pick], (a, b) => {
    if (a === b) return a;
    const number = [a, b].find((each) => typeof each === "number");
    if (number !== undefined && number <= 0) return pick === "min" ? number : typeof a === "string" ? a : b;
    return named(`${pick} ${[a, b].sort().join(",")}`);
  });
}

/** The number of elements in a content's shape must be that of its elements. */
export function content(shape: readonly number[], elements: readonly Dim[]): Content | undefined {
  return sizeOf(shape) === elements.length ? { shape, elements } : undefined;
}
