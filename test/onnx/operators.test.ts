import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { withoutGradient } from "../../bench/operators-page.js";
import { operators } from "../../src/onnx/operators/index.js";

const page = readFileSync(new URL("../../docs/operators.md", import.meta.url), "utf8");
const rows = Array.from(
  page.matchAll(/^\| (\w+) \| (\d+) to (\d+) \| ([^|]+) \|/gm),
  ([, name, , , gradient]) => ({
    name,
    gradient,
  }),
);

test("docs/operators.md has a row for every operator that is read (npm run conformance -- WHEEL --docs)", () => {
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(operators).sort());
});

test("and says which have no gradient", () => {
  const without = rows.filter(({ gradient }) => gradient === "none").map(({ name }) => name);
  expect(without).toEqual([...withoutGradient].sort());
});
