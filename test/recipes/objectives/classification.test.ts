import { expect, test } from "vitest";
import { gradients, input, type Value } from "../../../src/graph/index.js";
import { crossEntropy } from "../../../src/recipes/objectives/classification.js";
import { evaluate } from "../../helpers/run.js";

const [batch, classes] = [4, 3];
// The logits are what the network makes of two pixels, plus large ones that would overflow exp.
const logits = [
  [0.5, -1, 2],
  [100, 101, 99.5],
  [-300, -299, -301],
  [3, 1, 2],
];
const labels = [2, 0, 1, 1];
const exact = (row: readonly number[]) => {
  const most = Math.max(...row);
  return most + Math.log(row.reduce((sum, a) => sum + Math.exp(a - most), 0));
};

/** The phase on logits that are an input. */
function traced() {
  const [phase] = crossEntropy(2, classes);
  const a = input("a", "float32", ["batch", classes]);
  const classifier = (_: Value) => ({ logits: a, features: a });
  const inputs = { x: input("x", "uint8", ["batch", 2]), y: input("y", "uint8", ["batch"]) };
  return { a, ...phase.trace({ classifier }, inputs) };
}
const feeds = { a: logits.flat(), x: Array<number>(2 * batch).fill(7), y: labels };

test("cross-entropy and accuracy are those of float64", async () => {
  const { loss, metrics } = traced();
  expect(metrics.loss).toBe(loss);
  const results = await evaluate({ loss, accuracy: metrics.accuracy }, feeds);
  const expected = logits.reduce((sum, row, i) => sum + exact(row) - row[labels[i]], 0) / batch;
  expect(Number(results.loss.data[0])).toBeCloseTo(expected, 5);
  expect(Number(results.accuracy.data[0])).toBe(0.5);
});

test("the gradient is (softmax - label) / batch", async () => {
  const { a, loss } = traced();
  const { g } = await evaluate({ g: gradients(loss, [a])[0] }, feeds);
  logits.forEach((row, i) => {
    row.forEach((value, k) => {
      const expected = (Math.exp(value - exact(row)) - Number(labels[i] === k)) / batch;
      expect(Number(g.data[i * classes + k])).toBeCloseTo(expected, 6);
    });
  });
});
