import { expect, test } from "vitest";
import {
  cast,
  gradients,
  input,
  mul,
  sub,
  sum,
  tanh,
  type Value,
  zerosLike,
} from "../../../src/graph/index.js";
import { defineOp } from "../../../src/graph/operator.js";
import * as ops from "../../../src/graph/ops/index.js";
import { nodesBehind } from "../../../src/graph/paths.js";
import type { Operator } from "../../../src/graph/value.js";
import { appendedBy } from "../../helpers/appended.js";
import { compareGradients, type GradientCase, worstError } from "../../helpers/check-gradients.js";
import { table, withoutGradient } from "./gradients-table.js";

// Central differences with a step h err by about h²·f‴/6 + ε/h: 1e-9 in float64, 1e-4 in float32.
const tolerances = { float64: 1e-6, float32: 2e-3 };

function isOperator(value: object): value is { readonly operator: Operator } {
  return "operator" in value;
}

const operators = Object.entries(ops).flatMap(([name, value]): [string, Operator][] =>
  isOperator(value) ? [[name, value.operator]] : [],
);
const byName = new Map(operators);
const rows: Readonly<Record<string, readonly GradientCase[]>> = table;

/** A case's function on fresh inputs. */
function traced({ f, inputs, dtype = "float64" }: GradientCase) {
  const xs = inputs.map((shape, i) => input(`x${i}`, dtype, shape));
  return { xs, nodes: nodesBehind([f(...xs)]) };
}

test("everything that ops/index.ts exports has a row, or its operator has", () => {
  const names = Object.keys(ops);
  expect(names.filter((name) => !(name in rows || `${name}Op` in rows))).toEqual([]);
  for (const [name, cases] of Object.entries(rows)) {
    expect(names).toContain(name);
    expect(cases.length, name).toBeGreaterThan(0);
  }
});

test("the operators without a gradient are those meant to be", () => {
  const found = operators.filter(([, { vjp }]) => vjp === null).map(([name]) => name);
  expect(found.sort()).toEqual([...withoutGradient].sort());
});

for (const [name, cases] of Object.entries(rows)) {
  for (const row of cases) {
    test(`${name}: ${row.about}`, async () => {
      const operator = byName.get(name);
      if (operator) expect(traced(row).nodes.map((node) => node.operator)).toContain(operator);
      const tolerance = tolerances[row.dtype ?? "float64"];
      const { first, second } = await compareGradients(row);
      expect(worstError(first), "first order").toBeLessThan(tolerance);
      expect(worstError(second), "second order").toBeLessThan(tolerance);
    });
  }
}

/** Every case whose operator has several inputs, with each of them that has a gradient. */
const parts = operators.flatMap(([name, operator]) =>
  (rows[name] ?? []).flatMap((row) => {
    const { xs, nodes } = traced(row);
    const [node] = nodes.filter((node) => node.operator === operator);
    return node.inputs.flatMap((_, i) => (xs.length > 1 ? [[name, row.about, i, row] as const] : []));
  }),
);

test.each(parts)("%s (%s) appends for its input %d alone what that gradient needs", (name, _, i, row) => {
  const { nodes } = traced(row);
  const [node] = nodes.filter(({ operator }) => operator === byName.get(name));
  const [y] = node.outputs;
  const options = { seed: input("seed", y.dtype, y.shape), unused: zerosLike };
  const xs = [node.inputs[i]].filter(({ dtype }) => dtype.startsWith("float"));
  // Beside y itself, which has a gradient always, so that an input may have none.
  const { made, needed } = appendedBy(() => gradients(y, [...xs, y], options));
  expect(made).toBe(needed);
});

test.each(withoutGradient)("%s passes no gradient on", (name) => {
  const { xs, nodes } = traced(rows[name][0]);
  const [node] = nodes.filter(({ operator }) => operator === byName.get(name));
  const y = sum(cast(node.outputs[0], { to: "float64" }));
  expect(() => gradients(y, xs)).toThrow("gradients: y does not depend on x number 0");
});

test("a rule that is wrong is noticed, and one that is wrong to second order only", async () => {
  const tanhWith = (rule: (x: Value, g: Value) => Value): GradientCase => ({
    about: "tanh with another rule",
    inputs: [[3]],
    f: defineOp<[x: Value]>({ type: "Tanh", infer: ([x]) => x, vjp: ([x], _, g) => [rule(x, g)] }),
  });
  const slope = (y: Value) => sub(1, mul(y, y));
  const opaque = defineOp<[x: Value]>({ type: "Tanh", infer: ([x]) => x, vjp: null });

  const right = await compareGradients(tanhWith((x, g) => mul(g, slope(tanh(x)))));
  expect(worstError([...right.first, ...right.second])).toBeLessThan(tolerances.float64);
  const scaled = await compareGradients(tanhWith((x, g) => mul(g, mul(1.01, slope(tanh(x))))));
  expect(worstError(scaled.first)).toBeGreaterThan(2e-3);
  const once = await compareGradients(tanhWith((x, g) => mul(g, slope(opaque(x)))));
  expect(worstError(once.first)).toBeLessThan(tolerances.float64);
  expect(worstError(once.second)).toBeGreaterThan(2e-3);
});
