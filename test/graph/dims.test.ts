import { expect, test } from "vitest";
import {
  addDims,
  broadcastShapes,
  divideDim,
  formatShape,
  productOf,
  symbolOf,
} from "../../src/graph/dims.js";

test("a dimension is a coefficient and a symbol", () => {
  expect(symbolOf(12)).toEqual({ coefficient: 12, symbol: "" });
  expect(symbolOf("batch")).toEqual({ coefficient: 1, symbol: "batch" });
  expect(symbolOf("2*batch")).toEqual({ coefficient: 2, symbol: "batch" });
});

test.each([
  [2, 3, 5],
  ["batch", "batch", "2*batch"],
  ["2*batch", "batch", "3*batch"],
  [0, "batch", "batch"],
  ["batch", 0, "batch"],
  ["batch", 1, undefined],
  ["batch", "steps", undefined],
])("%s + %s = %s", (a, b, expected) => {
  expect(addDims(a, b)).toBe(expected);
});

test.each([
  [6, 3, 2],
  ["6*batch", 3, "2*batch"],
  ["2*batch", 2, "batch"],
  [5, 2, undefined],
  ["batch", 2, undefined],
])("%s in %s parts: %s each", (dim, parts, expected) => {
  expect(divideDim(dim, parts)).toBe(expected);
});

test.each([
  [[], 1],
  [[2, 3], 6],
  [[2, "batch", 3], "6*batch"],
  [["2*batch", 3], "6*batch"],
  [["steps", 2, "batch", 3], "6*batch*steps"],
  [["steps*batch", 6], "6*batch*steps"],
  [["batch", "batch"], "batch*batch"],
  [["batch", 0], 0],
])("the product of %j is %s", (shape, expected) => {
  expect(productOf(shape)).toBe(expected);
});

test.each([
  [
    [[], [2, 3]],
    [2, 3],
  ],
  [
    [
      [2, 1],
      [1, 3],
    ],
    [2, 3],
  ],
  [
    [["batch", 1], [4, 1, 1], [5]],
    [4, "batch", 5],
  ],
  [[[1], ["batch"]], ["batch"]],
])("%j broadcast to %j", (shapes, expected) => {
  expect(broadcastShapes("Add", shapes)).toEqual(expected);
  expect(broadcastShapes("Add", shapes.toReversed())).toEqual(expected);
});

test.each([[[[2], [3]]], [[["batch"], [3]]], [[["batch"], ["2*batch"]]], [[[2, 1], [3, 1], []]]])(
  "%j do not broadcast",
  (shapes) => {
    expect(() => broadcastShapes("Add", shapes)).toThrow(
      `Add: shapes do not broadcast: ${shapes.map(formatShape).join(" and ")}; pass values of matching shapes`,
    );
  },
);
