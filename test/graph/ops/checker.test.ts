import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { add, gradients, input, mul, square, sum, type Value } from "../../../src/graph/index.js";
import { encodeModel } from "../../../src/onnx/index.js";
import type { GradientCase } from "../../helpers/check-gradients.js";
import { checkerMissing, checkModels } from "../../helpers/onnx-checker.js";
import { modelOf } from "../../helpers/run.js";
import { table } from "./gradients-table.js";

/** The outputs of a row: its value, and its gradients to second order. */
function outputsOf({ f, inputs, dtype = "float64" }: GradientCase): Record<string, Value> {
  const xs = inputs.map((shape, i) => input(`x${i}`, dtype, shape));
  const y = f(...xs);
  const first = gradients(sum(mul(0.5, square(y))), xs);
  const second = gradients(
    first.map((g) => sum(square(g))).reduce((total, part) => add(total, part)),
    xs,
  );
  const named = (prefix: string, values: readonly Value[]) => values.map((value, i) => [prefix + i, value]);
  return { y, ...Object.fromEntries([...named("first", first), ...named("second", second)]) };
}

test.skipIf(checkerMissing)(
  `ONNX's checker, with strict inference, accepts every row of the table${checkerMissing ? `: ${checkerMissing}` : ""}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "gan-onnx-checker-"));
    try {
      const cases = Object.entries(table as Readonly<Record<string, readonly GradientCase[]>>);
      const paths = await Promise.all(
        cases.flatMap(([name, rows]) =>
          rows.map(async (row, i) => {
            const path = join(folder, `${name}-${i}.onnx`);
            await writeFile(path, encodeModel(modelOf(outputsOf(row))));
            return path;
          }),
        ),
      );
      expect(paths.length).toBeGreaterThan(200);
      expect(checkModels(paths)).toBe("");
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
