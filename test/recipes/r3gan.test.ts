import { expect, test } from "vitest";
import { floatsIn, type Tensors, tensorIn } from "../../src/tensors/tensor.js";
import { initialState } from "../../src/training/state.js";
import { designed, grey, randomFeeds, trained } from "../helpers/recipes.js";

const image = grey(8);
const settings = { latent: 3, width: 2, classes: 3, blocks: 1, gamma: 2, beta1: 0 };

/** A state whose blocks are not at their start, where half of them is zero. */
function shaken(state: Tensors): Tensors {
  for (const name of ["generator/parameters", "discriminator/parameters"]) {
    floatsIn(state, name).forEach((value, i, all) => {
      all[i] = value + 0.3 * Math.sin(7 * i + 1);
    });
  }
  return state;
}

test.each([
  ["discriminator", "d_loss"],
  ["generator", "g_loss"],
] as const)(
  "the %s's update follows the slope of its loss, to the second order of the penalty",
  async (network, loss) => {
    const design = designed("r3gan", { ...settings, learningRate: 1e-12 }, image);
    const feeds = randomFeeds(design, image, 1, 4);
    const at = async (by: number) => {
      const state = shaken(initialState(design, 1));
      const parameters = floatsIn(state, `${network}/parameters`);
      const direction = Float32Array.from(parameters, (_, i) => Math.cos(3 * i));
      for (let i = 0; i < parameters.length; i++) parameters[i] += by * direction[i];
      return { direction, ...(await trained(design, feeds, state)) };
    };
    // LeakyReLU's kinks make the slope of D jump, and the penalty with it: a larger step would cross some.
    const step = 2 ** -13;
    const [below, here, above] = [await at(-step), await at(0), await at(step)];
    // With β1 = 0 Adam's first moment is the gradient itself.
    const gradient = floatsIn(here.state, `${network}/first_moment`);
    const along = gradient.reduce((total, g, i) => total + g * here.direction[i], 0);
    const [low, high] = [below, above].map(({ metrics }) => Number(tensorIn(metrics, loss).data[0]));
    const slope = (high - low) / (2 * step);
    expect(Math.abs(slope)).toBeGreaterThan(0.05);
    expect(along / slope).toBeCloseTo(1, 2);
  },
);

test("a class changes what is drawn and how it is judged; without --classes there is none", () => {
  const inputs = (classes?: number) =>
    designed("r3gan", { ...settings, classes }, image).phases.flatMap((phase) => Object.keys(phase.inputs));
  expect(inputs(3)).toEqual(["x", "z_d", "y_d", "x_g", "z_g", "y_g"]);
  expect(inputs()).toEqual(["x", "z_d", "x_g", "z_g"]);
  expect(designed("r3gan", settings, image).exported).toMatchObject({ classes: 3, latent: 3 });
});
