import { expect, test } from "vitest";
import { input, sum } from "../../../src/graph/index.js";
import { evaluate } from "../../helpers/run.js";

test("the sum of a matrix's rows is that of its columns' numbers, for any number of rows", async () => {
  const x = input("x", "float32", ["rows", 3]);
  const outputs = { y: sum(x, [0]), kept: sum(x, [-2], { keepdims: true }) };
  for (const rows of [1, 2, 1000]) {
    const numbers = Array.from({ length: 3 * rows }, (_, i) => Math.fround(Math.sin(i)));
    const { y, kept } = await evaluate(outputs, { x: numbers });
    expect([y.dims, kept.dims]).toEqual([[3], [1, 3]]);
    expect(kept.data).toEqual(y.data);
    for (const [column, total] of Array.from(y.data, Number).entries()) {
      const exact = numbers.reduce((sum, number, i) => (i % 3 === column ? sum + number : sum), 0);
      expect(Math.abs(total - exact), `column ${column} of ${rows}`).toBeLessThan(1e-7 * rows);
    }
  }
});
