import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { startCli } from "../helpers/cli.js";
import { modelBytes, tensor } from "../helpers/make-model.js";
import { checkerMissing, checkModels } from "../helpers/onnx-checker.js";
import { loadedWith } from "../helpers/sources.js";

const folder = mkdtempSync(join(tmpdir(), "differentiate-"));
const model = join(folder, "model.onnx");
writeFileSync(
  model,
  modelBytes({
    nodes: [
      { type: "MatMul", inputs: ["x", "w"], outputs: ["h"], name: "product" },
      { type: "Tanh", inputs: ["h"], outputs: ["y"], name: "squash" },
      { type: "ReduceMean", inputs: ["y"], outputs: ["loss"], attributes: { keepdims: 0 } },
    ],
    initializers: [
      tensor(
        "w",
        [4, 2],
        [1, 2, 3, 4, 5, 6, 7, 8].map((n) => n / 40),
      ),
    ],
    outputs: ["y", "loss"],
  }),
);

const feeds = {
  x: new ort.Tensor("float32", Float32Array.of(1, -1, 2, 0.5, 0, 1, -2, 1), [2, 4]),
};

async function resultsOf(path: string, more: Record<string, ort.Tensor>) {
  const session = await ort.InferenceSession.create(path, {
    executionProviders: ["cpu"],
    logSeverityLevel: 3,
  });
  const results = await session.run({ ...feeds, ...more });
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, Array.from(data as Float32Array, Number)]),
  );
}

const differentiate = (...args: string[]) =>
  startCli(["differentiate", "model.onnx", ...args], { cwd: folder }).finished;

describe("gan-onnx differentiate", () => {
  test("writes the outputs and the gradients of the parameters, and says what it wrote", async () => {
    const { code, stdout, stderr } = await differentiate("--out", "g.onnx", "--of", "loss", "--json");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ of: ["loss"], seeds: [], gradients: ["w"], unreached: [] });
    const found = await resultsOf(join(folder, "g.onnx"), {});
    const product = (row: number, column: number) =>
      [0, 1, 2, 3].reduce((sum, i) => sum + feeds.x.data[row * 4 + i] * ((2 * i + column + 1) / 40), 0);
    const slope = (row: number, column: number) => (1 - Math.tanh(product(row, column)) ** 2) / 4;
    for (let i = 0; i < 4; i++)
      for (const column of [0, 1]) {
        const expected = [0, 1].reduce((sum, row) => sum + feeds.x.data[row * 4 + i] * slope(row, column), 0);
        expect(found["gradient/w"][2 * i + column]).toBeCloseTo(expected, 6);
      }
    expect(found.y).toHaveLength(4);
  });

  test("takes what arrives at an output that is no scalar, gives gradients of inputs, and weights as inputs", async () => {
    const { code, stdout } = await differentiate(
      ...["--out", "all.onnx", "--of", "y", "--with-respect-to", "all", "--parameters", "inputs", "--json"],
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ seeds: ["gradient/y"], gradients: ["x", "w"] });
    const found = await resultsOf(join(folder, "all.onnx"), {
      w: new ort.Tensor("float32", new Float32Array(8), [4, 2]),
      "gradient/y": new ort.Tensor("float32", Float32Array.of(1, 0, 0, 2), [2, 2]),
    });
    // Of weights that are 0 the slope of tanh is 1.
    expect(found["gradient/x"]).toEqual(Array<number>(8).fill(0));
    expect(found["gradient/w"]).toEqual([1, 0, -1, 2, 2, -4, 0.5, 2]);
  });

  test.skipIf(checkerMissing)(
    `what comes out passes ONNX's checker${checkerMissing ? ` (skipped: ${checkerMissing})` : ""}`,
    async () => {
      await differentiate("--out", "checked.onnx", "--with-respect-to", "all");
      expect(checkModels([join(folder, "checked.onnx")])).toBe("");
    },
  );

  test("does not load the native runtime", () => {
    expect([...loadedWith("commands/differentiate.ts")]).not.toContain("onnxruntime-node");
  });

  test.each([
    [
      ["--out", "o.onnx", "--with-respect-to", "nothing"],
      1,
      "model.onnx: has no parameter or input of floating point nothing; name one of x, w",
    ],
    [
      ["--out", "o.onnx", "--of", "z"],
      1,
      "model.onnx: has no output of floating point z; name one of y, loss",
    ],
    [[], 2, "--out: is missing"],
  ])("%j fails with %i", async (args, status, message) => {
    const { code, stdout, stderr } = await differentiate(...args);
    expect({ code, stdout }).toEqual({ code: status, stdout: "" });
    expect(stderr).toContain(message);
  });

  test("weights in another file are read from the model's folder, and from nowhere else", async () => {
    const external = (location: string) => {
      const bytes = modelBytes({
        nodes: [{ type: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
        initializers: [
          {
            name: "w",
            dims: [4, 2],
            dataType: 1,
            dataLocation: 1,
            externalData: [
              { key: "location", value: location },
              { key: "offset", value: "4" },
              { key: "length", value: "32" },
            ],
          },
        ],
      });
      writeFileSync(join(folder, "external.onnx"), bytes);
    };
    const run = () =>
      startCli(["differentiate", "external.onnx", "--out", "e.onnx"], { cwd: folder }).finished;
    writeFileSync(
      join(folder, "weights.bin"),
      new Uint8Array(Float32Array.of(9, 1, 2, 3, 4, 5, 6, 7, 8).buffer),
    );
    external("weights.bin");
    expect((await run()).code).toBe(0);
    writeFileSync(join(folder, "short.bin"), new Uint8Array(20));
    symlinkSync("/etc/hostname", join(folder, "link.bin"));
    for (const [location, message] of [
      ["/etc/hostname", "the path leaves the folder of the model"],
      ["../weights.bin", "the path leaves the folder of the model"],
      ["link.bin", "the file is a link out of the folder of the model"],
      ["short.bin", "bytes 4 to 36 are named, and the file has 20"],
      ["missing.bin", "the file cannot be found"],
    ]) {
      external(location);
      const { code, stderr } = await run();
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
    }
  });
});
