import onnxProto from "onnx-proto";
import { describe, expect, test, vi } from "vitest";
import type { OrtFiles } from "../../src/ort-training/artifacts.js";
import { OrtNetwork } from "../../src/ort-training/runtime.js";
import { elementsOf, floatsIn, type Tensor, type Tensors, tensorIn } from "../../src/tensors/tensor.js";
import { parametersState } from "../../src/training/names.js";
import { initialState, namedTensors } from "../../src/training/state.js";
import { artifactsOf, farthest, ortMissing, withOrt } from "../helpers/ort-training.js";
import { designed, grey, randomFeeds, runModel } from "../helpers/recipes.js";

const { onnx } = onnxProto;
const image = grey(6);
const settings = { latent: 5, width: 16, learningRate: 1e-2 };
const design = designed("vanilla", settings, image);
const state = initialState(design, 3);
const BATCH = 8;

/** Three batches for a network: what the step graph is fed, one step after the other, and images to take for generated. */
const batches: Tensors[] = Array.from({ length: 3 }, (_, step) => {
  const feeds = randomFeeds(design, image, 3, BATCH);
  const one = Array.from(feeds, ([name, { dtype, shape, data }]): [string, Tensor] => {
    const size = data.length / 3;
    return [
      name,
      { dtype, shape: shape.slice(1), data: data.slice(step * size, (step + 1) * size) } as Tensor,
    ];
  });
  const x = tensorIn(new Map(one), "x");
  const generated = Float32Array.from(x.data as Uint8Array, (byte, i) => ((byte * 7 + i) % 256) / 128 - 1);
  return new Map<string, Tensor>([
    ...one,
    ["generated", { dtype: "float32", shape: x.shape, data: generated }],
  ]);
});

/** Batches as one. */
function joined(parts: readonly Tensors[]): Tensors {
  return new Map(
    Array.from(
      parts[0],
      ([
        name,
        {
          dtype,
          shape: [, ...shape],
        },
      ]) => {
        const numbers = parts.flatMap((part) => Array.from(tensorIn(part, name).data, Number));
        const data = elementsOf(dtype, numbers);
        return [name, { dtype, shape: [parts.length * BATCH, ...shape], data } as Tensor];
      },
    ),
  );
}

describe.skipIf(ortMissing)(`ORT's training runtime${ortMissing ? ` (skipped: ${ortMissing})` : ""}`, () => {
  test.each(["discriminator", "generator"])(
    "loads the %s, with the parameters of its checkpoint",
    async (name) => {
      await withOrt(design, name, state, async (ort) => {
        expect(await ort.parameters({ frozen: false })).toEqual(tensorIn(state, parametersState(name)).data);
      });
    },
  );

  test("moves every tensor of the network that it trains, and none of the frozen one", async () => {
    await withOrt(design, "generator", state, async (ort) => {
      await ort.accumulate(batches[0]);
      const own = tensorIn(state, parametersState("generator"));
      expect(await ort.parameters({ frozen: false })).toEqual(own.data);
      await ort.update();
      const all = await ort.parameters({ frozen: true });
      const moved = { ...own, data: all.slice(0, own.data.length) } as Tensor;
      const after = new Map(state).set(parametersState("generator"), moved);
      const before = namedTensors(design, "generator", state);
      for (const [name, { data }] of namedTensors(design, "generator", after)) {
        expect(farthest(data, before.get(name)!.data), name).toBeGreaterThan(1e-3);
      }
      expect(all.slice(own.data.length)).toEqual(tensorIn(state, parametersState("discriminator")).data);
    });
  });

  test("has the frozen network's parameters replaced from outside, and that alone", async () => {
    const other = initialState(design, 4);
    const lossOf = (outputs: Tensors) => tensorIn(outputs, "g_loss").data[0];
    const loss = (from: Tensors) =>
      withOrt(design, "generator", from, async (ort) => lossOf(await ort.evaluate(batches[0])));
    const wanted = await loss(
      new Map(state).set("discriminator/parameters", tensorIn(other, "discriminator/parameters")),
    );
    await withOrt(design, "generator", state, async (ort) => {
      expect(lossOf(await ort.evaluate(batches[0]))).not.toBe(wanted);
      await ort.freeze([floatsIn(other, "discriminator/parameters")]);
      expect(lossOf(await ort.evaluate(batches[0]))).toBe(wanted);
      expect(await ort.parameters({ frozen: false })).toEqual(tensorIn(state, "generator/parameters").data);
    });
  });

  test.each(["discriminator", "generator"])(
    "gives the same loss by the eval model of the %s",
    async (name) => {
      const { files, artifacts } = artifactsOf(design, name, state);
      const [trained, evaluated] = await withOrt(design, name, state, async (ort) => [
        await ort.accumulate(batches[1]),
        await ort.evaluate(batches[1]),
      ]);
      expect([...evaluated.keys()]).toEqual(artifacts.outputs);
      for (const output of artifacts.outputs)
        expect(tensorIn(trained, output).data, output).toEqual(tensorIn(evaluated, output).data);

      // And the default runtime gives it, too: the eval model needs no training API.
      const weights = Object.keys(design.networks).flatMap((network) =>
        [...namedTensors(design, network, state)].map(
          ([key, tensor]) => [`${network}.${key}`, tensor] as const,
        ),
      );
      const inputs = [...batches[1], ...weights].filter(([key]) =>
        artifacts.eval.graph.inputs.some((input) => input.name === key),
      );
      const stock = await runModel(files["eval_model.onnx"], new Map(inputs));
      const [loss] = artifacts.outputs;
      expect(Number(tensorIn(stock, loss).data[0])).toBeCloseTo(Number(tensorIn(evaluated, loss).data[0]), 5);
    },
  );

  test.each(["discriminator", "generator"])(
    "adds up the gradients of three batches to those of one of three times the size: %s",
    async (name) => {
      // The sum of three batches' gradients is 3 times that of their mean: Adam divides 3 out, given 3 times its epsilon.
      // An epsilon beside which gradients are small makes the update proportional to them.
      const after = (parts: readonly Tensors[], epsilon: number) =>
        withOrt(designed("vanilla", { ...settings, epsilon }, image), name, state, async (ort) => {
          for (let update = 0; update < 2; update++) {
            for (const part of parts) await ort.accumulate(part);
            await ort.update();
          }
          return ort.parameters({ frozen: false });
        });
      const start = tensorIn(state, parametersState(name)).data;
      const [three, one, first] = [
        await after(batches, 0.3),
        await after([joined(batches)], 0.1),
        await after(batches.slice(0, 1), 0.1),
      ];
      expect(farthest(one, start)).toBeGreaterThan(1e-3);
      expect(farthest(three, one)).toBeLessThan(1e-7);
      expect(farthest(first, one)).toBeGreaterThan(1e-4);
    },
  );
});

describe("wrong files are refused by name before ORT sees them", () => {
  const { files } = artifactsOf(design, "generator", state);
  const wider = artifactsOf(designed("vanilla", { ...settings, width: 17 }, image), "generator").files;
  const other = artifactsOf(design, "discriminator", state).files;
  const changed = (bytes: Uint8Array, change: (model: InstanceType<typeof onnx.ModelProto>) => void) => {
    const model = onnx.ModelProto.decode(bytes);
    change(model);
    model.metadataProps = []; // The checksum among them is not that of the changed model.
    return new Uint8Array(onnx.ModelProto.encode(model).finish());
  };

  test.each<[about: string, wrong: Partial<OrtFiles>, message: RegExp]>([
    [
      "no model",
      { "training_model.onnx": new TextEncoder().encode("no model") },
      /^here\/training_model\.onnx: is not a model for ORT's training API/,
    ],
    ["an empty file", { "eval_model.onnx": new Uint8Array(0) }, /^here\/eval_model\.onnx: is not a model/],
    [
      "an operator set that 1.19 does not know",
      {
        "eval_model.onnx": changed(files["eval_model.onnx"], (m) => {
          m.opsetImport[0].version = 22;
        }),
      },
      /^here\/eval_model\.onnx: .*IR version 8 and opset 22, which ORT 1\.19 does not know/,
    ],
    [
      "the eval model for training",
      { "training_model.onnx": files["eval_model.onnx"] },
      /^here\/training_model\.onnx: has no input generator\.gen\.0\.weight_grad\.accumulation\.buffer/,
    ],
    [
      "the training model for evaluation",
      { "eval_model.onnx": files["training_model.onnx"] },
      /^here\/eval_model\.onnx: has the inputs .* instead of z_g, generator\.gen\.0\.weight/,
    ],
    [
      "the eval model of the other network",
      { "eval_model.onnx": other["eval_model.onnx"] },
      /^here\/eval_model\.onnx: has the inputs x, generated/,
    ],
    [
      "an optimizer that is none",
      { "optimizer_model.onnx": files["eval_model.onnx"] },
      /^here\/optimizer_model\.onnx: has the inputs z_g, .* instead of learning_rate, step, params/,
    ],
    [
      "a training model of another size",
      { "training_model.onnx": wider["training_model.onnx"] },
      /^here\/training_model\.onnx: takes generator\.gen\.0\.weight as \[17,5\], and the checkpoint has \[16,5\]/,
    ],
    [
      "the checkpoint of the other network",
      { checkpoint: other.checkpoint },
      /^here\/(checkpoint|training_model\.onnx): has no /,
    ],
    [
      "a checkpoint cut short",
      { checkpoint: files.checkpoint.subarray(0, 1000) },
      /^here\/checkpoint: is not a checkpoint of ORT's training API/,
    ],
    ["a model for a checkpoint", { checkpoint: files["eval_model.onnx"] }, /^here\/checkpoint: .*ODTC/],
  ])("%s", async (_, wrong, message) => {
    await expect(OrtNetwork.open({ ...files, ...wrong }, "here")).rejects.toThrow(message);
  });

  test.skipIf(ortMissing)("and what ORT throws itself, a number, becomes a sentence", async () => {
    vi.resetModules();
    vi.doMock("../../src/ort-training/check.js", () => ({ checkFiles: () => ({ inputs: [] }) }));
    const unchecked = await import("../../src/ort-training/runtime.js");
    vi.doUnmock("../../src/ort-training/check.js");
    vi.resetModules();
    const wrong = { ...files, "optimizer_model.onnx": files["eval_model.onnx"] };
    await expect(unchecked.OrtNetwork.open(wrong, "here")).rejects.toThrow(
      /^here: ORT's training runtime failed \(.+\); check that the artifacts belong together/,
    );
  });
});
