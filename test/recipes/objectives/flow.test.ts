import { describe, expect, test } from "vitest";
import { add, gradients, input, mul, type Value } from "../../../src/graph/index.js";
import { flowMatching, predictions, solved, solvers } from "../../../src/recipes/objectives/flow.js";
import { evaluate } from "../../helpers/run.js";

const meanOf = (numbers: readonly number[]) => numbers.reduce((total, v) => total + v, 0) / numbers.length;

describe.each(predictions)("predicting the %s", (prediction) => {
  const [timeMean, timeScale] = [-0.5, 2];
  const [phase] = flowMatching({ pixels: 2, prediction, labelled: false, timeMean, timeScale });
  const a = input("a", "float32", []);
  const feeds = { a: 0.75, x: [255, 0, 51, 204], eps: [0.5, -1, 0.25, 2], time: [0.5, 3] };

  /** The loss in float64, of a network that gives a·x + t. The second time is so late that 1 - t is held at 0.05. */
  function loss(a: number): number {
    const squares = feeds.x.map((byte, i) => {
      const t = 1 / (1 + Math.exp(-(timeMean + timeScale * feeds.time[i >> 1])));
      const [image, noise] = [byte / 127.5 - 1, feeds.eps[i]];
      const between = (1 - t) * noise + t * image;
      const predicted = a * between + t;
      const v = prediction === "velocity" ? predicted : (predicted - between) / Math.max(1 - t, 0.05);
      return (v - (image - noise)) ** 2;
    });
    return meanOf(squares);
  }

  test("loss and gradient are those of float64", async () => {
    const inputs = {
      x: input("x", "uint8", ["batch", 2]),
      eps: input("eps", "float32", ["batch", 2]),
      time: input("time", "float32", ["batch", 1]),
    };
    const traced = phase.trace({ flow: (x, t) => add(mul(x, a), t) }, inputs);
    const [slope] = gradients(traced.loss, [a]);
    const results = await evaluate({ loss: traced.loss, slope }, feeds);
    expect(Number(results.loss.data[0]) / loss(feeds.a)).toBeCloseTo(1, 5);
    const difference = (loss(feeds.a + 1e-5) - loss(feeds.a - 1e-5)) / 2e-5;
    expect(Number(results.slope.data[0]) / difference).toBeCloseTo(1, 4);
  });
});

describe.each(solvers)("the solver %s", (solver) => {
  const z = input("z", "float32", ["batch", 2]);
  const start = [0.1, -0.2, 0.05, 0];

  test.each([1, 4])("of %d steps does what its formula says", async (steps) => {
    // dx/dt = x + t/8
    const flow = (x: Value, t: Value) => add(x, mul(t, 0.125));
    const options = { prediction: "velocity", steps, solver } as const;
    const { image } = await evaluate({ image: solved(flow, { z }, options) }, { z: start });
    const h = 1 / steps;
    const expected = start.map((x) => {
      for (let i = 0; i < steps; i++) {
        const v = x + (i * h) / 8;
        const atEnd = x + h * v + ((i + 1) * h) / 8;
        x += h * (solver === "heun" && i < steps - 1 ? (v + atEnd) / 2 : v);
      }
      return x;
    });
    expected.forEach((value, i) => {
      expect(Number(image.data[i])).toBeCloseTo(value, 6);
    });
  });

  test("of a network that knows the image draws it, within its range", async () => {
    const target = input("target", "float32", [1, 2]);
    const flow = (x: Value) => add(mul(x, 0), target);
    const options = { prediction: "image", steps: 5, solver } as const;
    const outputs = { image: solved(flow, { z }, options) };
    const { image } = await evaluate(outputs, { z: start, target: [0.5, 3] });
    expect(Array.from(image.data, Number).map((value) => Math.round(value * 1e5) / 1e5)).toEqual([
      ...[0.5, 1],
      ...[0.5, 1],
    ]);
  });
});
