import { expect, test } from "vitest";
import type { NamedNode } from "../../src/graph/build.js";
import { add, gradients, input, loop, softplus, sum, type Value, withScope } from "../../src/graph/index.js";
import { evaluate, modelOf } from "../helpers/run.js";

const x = input("x", "float32", [2]);
const written = (outputs: Record<string, Value>) => modelOf(outputs).graph.nodes;
const typesOf = (nodes: readonly NamedNode[] = []) => nodes.map(({ type }) => type);

test("an operator is written as its lowering, named after it, once for all who read it", () => {
  const y = withScope("layer", () => softplus(x));
  const nodes = written({ y, twice: add(y, y) });
  expect(typesOf(nodes).sort()).toEqual(["Abs", "Add", "Add", "Add", "Exp", "Log", "Neg", "Relu"]);
  const passes = nodes.filter(({ outputs }) => !outputs.includes("twice")).map(({ name }) => name);
  expect(passes.every((name) => name.startsWith("layer/Softplus/"))).toBe(true);
});

test("gradients are those of the operator, and not of its lowering", () => {
  const [dx] = gradients(sum(softplus(x)), [x]);
  expect(typesOf(written({ dx }))).not.toContain("Abs");
});

test("what is lowered in a loop's body stays there, unless it does not depend on the iteration", async () => {
  const count = input("count", "int64", []);
  const outside = softplus(x);
  const { state } = loop(count, "iterations", { s: x }, (_, { s }) => ({
    state: { s: add(softplus(s), outside) },
    collected: {},
  }));
  const nodes = written(state);
  const body = nodes.find(({ type }) => type === "Loop")?.bodies?.body.nodes;
  for (const graph of [nodes, body]) expect(typesOf(graph).filter((type) => type === "Log")).toHaveLength(1);

  const exact = (value: number) => Math.log1p(Math.exp(value));
  const { s } = await evaluate(state, { count: 3, x: [-1, 2] });
  [-1, 2].forEach((start, i) => {
    let value = start;
    for (let step = 0; step < 3; step++) value = exact(value) + exact(start);
    expect(Number(s.data[i])).toBeCloseTo(value, 5);
  });
});
