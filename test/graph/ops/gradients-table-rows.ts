import { add, mul, type Value } from "../../../src/graph/index.js";
import type { GradientCase } from "../../helpers/check-gradients.js";

export type Binary = (a: Value, b: Value) => Value;

/** What every operator of two operands must get right: all ways in which shapes broadcast. */
export function broadcasting(f: Binary, options: Partial<GradientCase> = {}): GradientCase[] {
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
export const apart = (x: Value) => add(x, 1 / 128);
export const scaled = (x: Value) => mul(x, 1.5);
export const unary = (f: (x: Value) => Value, options: Partial<GradientCase> = {}): GradientCase[] => [
  { about: "a matrix", inputs: [["batch", 4]], f, ...options },
  { about: "a scalar", inputs: [[]], f, ...options },
];

/** Rows by the names under which the operators and functions of one family are exported. */
export type Family = Readonly<Record<string, readonly GradientCase[]>>;
