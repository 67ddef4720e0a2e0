import { expect, test } from "vitest";
import {
  add,
  cast,
  cond,
  exp,
  gather,
  gradients,
  greater,
  input,
  loop,
  mul,
  softplus,
  square,
  sub,
  sum,
} from "../../src/graph/index.js";
import { evaluate, modelOf } from "../helpers/run.js";

const x = input("x", "float32", []);
const rows = input("rows", "float32", [2]);
const place = input("place", "int64", []);
const numbers = ({ data }: { data: ArrayLike<number | bigint> }) => Array.from(data, Number);

test("one branch is computed, and the other is not: it would fail", async () => {
  const { y } = cond(
    greater(x, 0),
    () => ({ y: mul(x, 2) }),
    () => ({ y: gather(rows, place, 0) }),
  );
  const [outside, inside] = [
    { rows: [5, 6], place: 7 },
    { rows: [5, 6], place: 1 },
  ];
  expect(numbers((await evaluate({ y }, { x: 3, ...outside })).y)).toEqual([6]);
  expect(numbers((await evaluate({ y }, { x: -3, ...inside })).y)).toEqual([6]);
  await expect(evaluate({ y }, { x: -3, ...outside })).rejects.toThrow("indices");
});

test("work of a branch stays in it, in the forms that are written; what was there before is captured", async () => {
  const before = exp(x);
  const { y } = cond(
    greater(x, 0),
    () => ({ y: softplus(before) }),
    () => ({ y: before }),
  );
  const { nodes } = modelOf({ y }).graph;
  expect(nodes.map(({ type }) => type).sort()).toEqual(["Exp", "Greater", "If"]);
  const bodies = nodes.find(({ type }) => type === "If")?.bodies;
  expect(bodies?.then_branch.nodes.map(({ type }) => type)).toContain("Log");
  expect(bodies?.else_branch.nodes.map(({ type }) => type)).toEqual(["Identity"]);
  expect(numbers((await evaluate({ y }, { x: 1 })).y)[0]).toBeCloseTo(Math.log1p(Math.exp(Math.E)), 5);
  expect(numbers((await evaluate({ y }, { x: -1 })).y)[0]).toBeCloseTo(Math.exp(-1), 6);
});

test("in a loop, steps of a descent are made or left out; gradients are taken inside", async () => {
  const count = input("count", "int64", []);
  const { state } = loop(count, "steps", { s: x }, (iteration, { s }) => ({
    state: cond(
      greater(cast(iteration, { to: "float32" }), 1.5),
      () => ({ s: sub(s, mul(gradients(square(s), [s])[0], 0.25)) }),
      () => ({ s: add(s, 1) }),
    ),
    collected: {},
  }));
  // Two additions, then three halvings.
  expect(numbers((await evaluate(state, { count: 5, x: 6 })).s)).toEqual([1]);
});

test("what cannot be chosen between, or differentiated through, is refused", () => {
  const yes = greater(x, 0);
  expect(() =>
    cond(
      yes,
      () => ({ y: x }),
      () => ({ y: rows }),
    ),
  ).toThrow("the branches differ: y float32 [], and y float32 [2]");
  expect(() =>
    cond<Record<string, typeof x>>(
      yes,
      () => ({ y: x }),
      () => ({}),
    ),
  ).toThrow("the branches differ: y float32 [], and nothing");
  expect(() =>
    cond(
      x,
      () => ({ y: x }),
      () => ({ y: x }),
    ),
  ).toThrow("the condition is float32 []");
  const { y } = cond(
    yes,
    () => ({ y: sum(rows) }),
    () => ({ y: x }),
  );
  expect(() => gradients(y, [rows])).toThrow("has no gradient");
});
