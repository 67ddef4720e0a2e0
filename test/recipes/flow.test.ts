import { expect, test } from "vitest";
import { exportNetwork } from "../../src/export/network.js";
import { encodeModel, summarizeModel } from "../../src/onnx/index.js";
import { floatsIn, type Tensors, tensorIn } from "../../src/tensors/tensor.js";
import { buildInference } from "../../src/training/inference.js";
import { initialState } from "../../src/training/state.js";
import { onCpu } from "../helpers/on-cpu.js";
import { colour, designed, grey, randomFeeds, runModel, trained } from "../helpers/recipes.js";

const settings = { width: 4, classes: 3 };

/** A state in which no weight is zero, as half of the U-Net's are at first. */
function shaken(state: Tensors, network = "flow/parameters"): Tensors {
  floatsIn(state, network).forEach((value, i, all) => {
    all[i] = value + 0.1 * Math.sin(7 * i + 1);
  });
  return state;
}

test.each([grey(8), colour(12)])(
  "the update of the U-Net follows the slope of its loss: %o",
  async (image) => {
    const design = designed("flow", { ...settings, beta1: 0, learningRate: 1e-12 }, image);
    const feeds = randomFeeds(design, image, 1, 4);
    const step = 2 ** -8;
    const at = async (by: number) => {
      const state = shaken(initialState(design, 1));
      const parameters = floatsIn(state, "flow/parameters");
      const direction = Float32Array.from(parameters, (_, i) => Math.cos(3 * i));
      for (let i = 0; i < parameters.length; i++) parameters[i] += by * direction[i];
      return { direction, ...(await trained(design, feeds, state)) };
    };
    const [below, here, above] = [await at(-step), await at(0), await at(step)];
    // With β1 = 0 Adam's first moment is the gradient itself.
    const gradient = floatsIn(here.state, "flow/first_moment");
    // All but the weights of a class that the batch has none of.
    expect(gradient.filter((g) => g === 0).length).toBeLessThan(gradient.length / 10);
    const along = gradient.reduce((total, g, i) => total + g * here.direction[i], 0);
    const [low, high] = [below, above].map(({ metrics }) => Number(tensorIn(metrics, "loss").data[0]));
    expect(along / ((high - low) / (2 * step))).toBeCloseTo(1, 1.5);
  },
);

test("the exported model has the solver inside: a Loop of so many steps, whose result depends on them and the class", async () => {
  const image = grey(8);
  const draw = async (own: object, label: number) => {
    const design = designed("flow", { ...settings, ...own }, image);
    const state = initialState(design, 1);
    shaken(state, "flow/average");
    const position = { recipe: "flow", seed: 1, epoch: 1, step: 0, images: 1, ...image } as const;
    const model = await exportNetwork(design, { position, state }, "nothing", onCpu);
    expect(summarizeModel(model).inputs.map(({ name }) => name)).toEqual(["z", "label"]);
    expect(summarizeModel(model).operators.filter((type) => type === "Loop")).toHaveLength(1);
    const z = Float32Array.from({ length: 64 }, (_, i) => Math.sin(3 + 5 * i));
    const feeds = new Map([
      ["z", { dtype: "float32", shape: [1, 64], data: z }],
      ["label", { dtype: "int64", shape: [1], data: BigInt64Array.of(BigInt(label)) }],
    ]) as Tensors;
    const { shape, data } = tensorIn(await runModel(model, feeds), "image");
    expect([...shape]).toEqual([1, 1, 8, 8]);
    return Array.from(data, Number);
  };
  const drawn = await draw({ samplingSteps: 4 }, 1);
  expect(new Set(drawn).size).toBeGreaterThan(32);
  expect(await draw({ samplingSteps: 4 }, 1)).toEqual(drawn);
  for (const other of [
    draw({ samplingSteps: 5 }, 1),
    draw({ samplingSteps: 4, solver: "heun" }, 1),
    draw({ samplingSteps: 4 }, 2),
  ]) {
    expect(await other).not.toEqual(drawn);
  }
});

test("sheets of a training are drawn in few steps", () => {
  const design = designed("flow", { samplingSteps: 50, solver: "heun" });
  const bytes = (drawn: "exported" | "preview") => encodeModel(buildInference(design, { doc: "" }, drawn));
  const few = designed("flow", { samplingSteps: 8 });
  expect(bytes("preview")).toEqual(encodeModel(buildInference(few, { doc: "" })));
  expect(bytes("exported")).not.toEqual(bytes("preview"));
});
