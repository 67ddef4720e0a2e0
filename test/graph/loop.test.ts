import { expect, test } from "vitest";
import type { NamedGraph } from "../../src/graph/build.js";
import {
  add,
  cast,
  exp,
  gradients,
  input,
  loop,
  mean,
  mul,
  neg,
  row,
  square,
  sub,
  sum,
  type Value,
} from "../../src/graph/index.js";
import { evaluate, modelOf } from "../helpers/run.js";

const count = input("count", "int64", []);
const start = input("start", "float64", [2]);
const rate = input("rate", "float64", []);

/** Gradient descent on Σ (s - e^rate)²; the loss before each step is collected. */
function descent(batch?: Value) {
  return loop(count, "steps", { s: start }, (iteration, { s }) => {
    const target = batch ? row(batch, iteration) : exp(rate);
    const loss = sum(square(sub(s, target)));
    const [g] = gradients(loss, [s]);
    return { state: { s: sub(s, mul(rate, g)) }, collected: { loss, iteration } };
  });
}

const numbers = ({ data }: { data: ArrayLike<number | bigint> }) => Array.from(data, Number);

test("the state is carried and collected values are stacked", async () => {
  const { state, collected } = descent();
  expect(collected.loss.shape).toEqual(["steps"]);
  const results = await evaluate({ ...state, ...collected }, { count: 3, start: [1, 2], rate: 0.25 });

  let s = [1, 2];
  const losses: number[] = [];
  for (let i = 0; i < 3; i++) {
    losses.push(s.reduce((total, value) => total + (value - Math.exp(0.25)) ** 2, 0));
    s = s.map((value) => value - 0.25 * 2 * (value - Math.exp(0.25)));
  }
  numbers(results.s).forEach((value, i) => {
    expect(value).toBeCloseTo(s[i], 12);
  });
  numbers(results.loss).forEach((value, i) => {
    expect(value).toBeCloseTo(losses[i], 12);
  });
  expect(results.loss.dims).toEqual([3]);
  expect(numbers(results.iteration)).toEqual([0, 1, 2]);
});

test("no iterations leave the state as it was", async () => {
  const { state, collected } = descent();
  const results = await evaluate({ ...state, ...collected }, { count: 0, start: [1, 2], rate: 0.25 });
  expect(numbers(results.s)).toEqual([1, 2]);
  expect(results.loss.dims).toEqual([0]);
});

test("runs chained equal one long run, to the last bit", async () => {
  const batch = input("batch", "float64", ["steps", 2]);
  const { state, collected } = descent(batch);
  const data = Float64Array.from({ length: 10 }, (_, i) => Math.sin(i));
  const run = (from: ArrayLike<number | bigint>, first: number, steps: number) =>
    evaluate(
      { ...state, ...collected },
      {
        count: steps,
        rate: 0.3,
        start: { dims: [2], data: from },
        batch: { dims: [steps, 2], data: data.subarray(2 * first, 2 * (first + steps)) },
      },
    );
  const long = await run([0.5, -1], 0, 5);
  const head = await run([0.5, -1], 0, 2);
  const tail = await run(head.s.data, 2, 3);
  expect(numbers(tail.s)).toEqual(numbers(long.s));
  expect([...numbers(head.loss), ...numbers(tail.loss)]).toEqual(numbers(long.loss));
});

test("what does not depend on the iteration is computed once, outside", () => {
  const { state } = descent();
  const { nodes } = modelOf(state).graph;
  // The gradient of the sum, a one that broadcasts to the state, does not depend on the iteration either.
  expect(nodes.map(({ type }) => type)).toEqual(["Exp", "Reshape", "Loop"]);
  const body = nodes[2].bodies?.body.nodes ?? [];
  const ownWork = ["Sub", "Mul", "ReduceSum", "Mul", "Add", "Mul", "Sub"];
  expect(body.map(({ type }) => type)).toEqual([...ownWork, "Identity", "Identity"]);
  expect(body[0].inputs[1]).toBe("Exp");
});

test("shapes are read from the graph's inputs, once", () => {
  const batch = input("batch", "float64", ["steps", "samples"]);
  const { state } = loop(count, "steps", { s: rate }, (iteration, { s }) => {
    const [g] = gradients(mean(square(mul(row(batch, iteration), s))), [s]);
    return { state: { s: sub(s, g) }, collected: {} };
  });
  const { nodes } = modelOf(state).graph;
  expect(nodes.find(({ type }) => type === "Shape")?.inputs).toEqual(["batch"]);
  const body = nodes.find(({ type }) => type === "Loop")?.bodies?.body.nodes ?? [];
  expect(body.map(({ type }) => type)).toContain("Gather");
  expect(body.map(({ type }) => type)).not.toContain("Shape");
});

test("a body may return outer values, inputs and constants", async () => {
  const { state, collected } = loop(count, "steps", { a: start, b: start }, (_, { a, b }) => ({
    state: { a: b, b: a },
    collected: { rates: rate, outer: neg(rate) },
  }));
  const second = loop(count, "steps", state, (_, { a, b }) => ({
    state: { a: mul(a, 2), b },
    collected: {},
  }));
  const results = await evaluate({ ...second.state, ...collected }, { count: 3, start: [1, 2], rate: 0.5 });
  expect(numbers(results.rates)).toEqual([0.5, 0.5, 0.5]);
  expect(numbers(results.outer)).toEqual([-0.5, -0.5, -0.5]);
  expect(numbers(results.a)).toEqual([8, 16]);
});

test("loops nest, and no name occurs twice in all their graphs", async () => {
  const outer = loop(count, "outer", { s: rate }, (i, { s }) => {
    const inner = loop(count, "inner", { s }, (j, { s }) => ({
      state: { s: add(s, mul(cast(i, { to: "float64" }), cast(j, { to: "float64" }))) },
      collected: { s },
    }));
    return { state: { s: inner.state.s }, collected: { all: inner.collected.s } };
  });
  const outputs = { s: outer.state.s, all: outer.collected.all };
  const results = await evaluate(outputs, { count: 3, rate: 1 });
  expect(numbers(results.s)).toEqual([1 + (0 + 1 + 2) * (0 + 1 + 2)]);
  expect(numbers(results.all)).toEqual([1, 1, 1, 1, 1, 2, 4, 4, 6]);

  const names: string[] = [];
  let graph: NamedGraph | undefined = modelOf(outputs).graph;
  for (let depth = 0; graph; depth++) {
    const { nodes, inputs, initializers }: NamedGraph = graph;
    names.push(
      ...[...inputs, ...initializers].map(({ name }) => name),
      ...nodes.flatMap(({ outputs }) => outputs),
    );
    graph = nodes.find(({ bodies }) => bodies)?.bodies?.body;
    expect(graph === undefined).toBe(depth === 2);
  }
  expect(names.toSorted()).toEqual([...new Set(names)].sort());
});

test("a state that changes its type or gets lost is refused", () => {
  const after = (change: (s: Value) => Record<string, Value>) => () =>
    loop(count, "steps", { s: start }, (_, { s }) => ({ state: change(s), collected: {} }));
  const fix = "return every state with the type that it came with";
  expect(after((s) => ({ s: sum(s) }))).toThrow(
    `Loop: the state s is float64 [2] before an iteration and float64 [] after it; ${fix}`,
  );
  expect(after((s) => ({ s: cast(s, { to: "float32" }) }))).toThrow("and float32 [2] after it");
  expect(after(() => ({}))).toThrow("and nothing after it");
});
