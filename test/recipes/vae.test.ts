import { expect, test } from "vitest";
import { exportNetwork } from "../../src/export/network.js";
import { constant } from "../../src/graph/index.js";
import { tensorIn, tensorsOf } from "../../src/tensors/tensor.js";
import { buildExport } from "../../src/training/inference.js";
import { initialState, namedTensors } from "../../src/training/state.js";
import { onCpu } from "../helpers/on-cpu.js";
import { designed, grey, runModel, weightsOf } from "../helpers/recipes.js";

const image = grey(4);
const design = designed("vae", { latent: 2, width: 5 }, image);
const state = initialState(design, 1);

test("the exported model has the decoder's weights alone", () => {
  const tensors = new Map(
    [...namedTensors(design, "vae", state)].map(([name, { shape, data }]) => {
      return [name, constant("float32", shape, data as Float32Array, name)] as const;
    }),
  );
  const { graph } = buildExport(design, { doc: "" }, { tensors, derived: (_, compute) => compute() });
  const weights = graph.initializers.filter(({ dtype }) => dtype === "float32").map(({ name }) => name);
  expect(weights.sort()).toEqual(["fc3.bias", "fc3.weight", "fc4.bias", "fc4.weight"]);
  expect(graph.inputs.map(({ name }) => name)).toEqual(["z"]);
});

test("it draws what the decoder makes of latents, in [0, 1]", async () => {
  const position = { recipe: "vae", seed: 1, epoch: 1, step: 0, images: 1, ...image } as const;
  const model = await exportNetwork(design, { position, state }, "nothing", onCpu);
  const z = Float32Array.of(0.5, -1, 2, 3);
  const feeds = tensorsOf({ z: { dtype: "float32", shape: [2, 2], data: z } });
  const drawn = tensorIn(await runModel(model, feeds), "image");

  const weights = weightsOf(design, "vae", state);
  const linear = (x: readonly number[], name: string) =>
    Array.from(weights[`${name}.bias`], (bias, o) =>
      x.reduce((sum, value, i) => sum + value * weights[`${name}.weight`][o * x.length + i], bias),
    );
  const expected = [0, 2].flatMap((from) => {
    const hidden = linear([...z.slice(from, from + 2)], "fc3").map((value) => Math.max(value, 0));
    return linear(hidden, "fc4").map((a) => 1 / (1 + Math.exp(-a)));
  });
  expect([...drawn.shape]).toEqual([2, 1, 4, 4]);
  expected.forEach((value, i) => {
    expect(Number(drawn.data[i])).toBeCloseTo(value, 6);
  });
});
