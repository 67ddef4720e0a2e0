import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { modelBytes, tensor } from "../helpers/make-model.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

test("README's example trains a model from a file", async () => {
  const blocks = readFileSync(join(root, "README.md"), "utf8").matchAll(/```ts\n([\s\S]*?)```/g);
  const [example] = Array.from(blocks, ([, code]) => code).filter((code) => code.includes("readModel("));
  expect(example.split("\n").length).toBeLessThan(32);

  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(
    join(folder, "example.ts"),
    example.replace('from "gan-onnx"', `from "${root}dist/index.js"`),
  );
  writeFileSync(
    join(folder, "model.onnx"),
    modelBytes({
      nodes: [
        { type: "MatMul", inputs: ["x", "w"], outputs: ["h"] },
        { type: "Add", inputs: ["h", "b"], outputs: ["y"] },
      ],
      initializers: [tensor("w", [4, 2], [0, 0, 0, 0, 0, 0, 0, 0]), tensor("b", [2], [0, 0])],
    }),
  );
  execFileSync(process.execPath, [join(root, "node_modules/.bin/tsx"), "example.ts"], {
    cwd: folder,
    timeout: 100_000,
  });

  const session = await ort.InferenceSession.create(join(folder, "train.onnx"), {
    executionProviders: ["cpu"],
  });
  const [steps, batch] = [60, 8];
  const xs = Float32Array.from({ length: steps * batch * 4 }, (_, i) => Math.sin(i * 1.7));
  // The first two columns are to be copied.
  const targets = Float32Array.from(
    { length: steps * batch * 2 },
    (_, i) => xs[Math.floor(i / 2) * 4 + (i % 2)],
  );
  const results = await session.run({
    count: new ort.Tensor("int64", BigInt64Array.of(BigInt(steps)), []),
    xs: new ort.Tensor("float32", xs, [steps, batch, 4]),
    targets: new ort.Tensor("float32", targets, [steps, batch, 2]),
    w: new ort.Tensor("float32", new Float32Array(8), [4, 2]),
    b: new ort.Tensor("float32", new Float32Array(2), [2]),
  });
  await session.release();
  const losses = Array.from(results.loss.data as Float32Array);
  expect(losses).toHaveLength(steps);
  expect(losses[steps - 1]).toBeLessThan(losses[0] / 4);
  expect(results["next/w"].dims).toEqual([4, 2]);
});
