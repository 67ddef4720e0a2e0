import { describe, expect, test } from "vitest";
import type { Model } from "../../src/graph/index.js";
import { declarationsOf } from "../../src/networks/index.js";
import { recipeNames } from "../../src/recipes/index.js";
import { adam } from "../../src/recipes/optimizers/index.js";
import { Session } from "../../src/runtime/session.node.js";
import { floatsIn, type Tensor, type Tensors, tensorIn } from "../../src/tensors/tensor.js";
import { initialState } from "../../src/training/state.js";
import { buildStepGraph } from "../../src/training/step-graph.js";
import { tinyArtifacts, tinyDesign } from "../helpers/design.js";
import { designed } from "../helpers/recipes.js";
import { recordTrajectory } from "../helpers/record.js";
import { about } from "../helpers/run.js";

const design = tinyDesign();
const start = initialState(design, 8);
const record = recordTrajectory({ steps: 4, batch: 5, seed: 8 });

/** The state after some runs of the training of a design, each on its own feeds. */
async function stateAfter(trained: typeof design, ...runs: Tensors[]): Promise<Tensors> {
  const session = await Session.open(tinyArtifacts(trained).train, { ep: "cpu", threads: 1 }, "train.onnx");
  try {
    await session.setState(start);
    for (const feeds of runs) await session.run(feeds);
    return await session.getState();
  } finally {
    await session.close();
  }
}

/** Recorded inputs of the steps from `first` on, by name. */
function feedsOf(names: readonly string[], first = 0, steps = 4 - first): Tensors {
  const parts = names.map((name) => {
    const { dtype, shape, data } = record.get(name)!;
    const size = data.length / 4;
    const part = data.slice(first * size, (first + steps) * size);
    return [name, { dtype, shape: [steps, ...shape.slice(1)], data: part } as Tensor] as const;
  });
  return new Map(parts);
}

const changed = (after: Tensors) =>
  [...start.keys()].filter((name) => {
    const bits = ({ data }: Tensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return !bits(tensorIn(start, name)).equals(bits(tensorIn(after, name)));
  });
const slots = Object.keys(adam({ learningRate: 1, beta1: 0, beta2: 0, epsilon: 1 }).slots(1));
const allOf = (network: string) => ["parameters", ...slots].map((name) => `${network}/${name}`).sort();

describe("a step", () => {
  test.each([
    ["discriminator", ["x", "z_d"]],
    ["generator", ["z_g"]],
  ])("of the %s alone leaves every bit of the other network as it was", async (network, inputs) => {
    const phases = design.phases.filter(({ updates }) => updates === network);
    const after = await stateAfter({ ...design, phases }, feedsOf(inputs));
    expect(changed(after).sort()).toEqual(allOf(network));
  });

  test("of both changes both", async () => {
    const after = await stateAfter(design, feedsOf(["x", "z_d", "z_g"]));
    expect(changed(after).sort()).toEqual([...allOf("discriminator"), ...allOf("generator")]);
  });

  test("leaves frozen parameters and their slots as they were, and trains the others as if none were", async () => {
    const generator = { ...design.networks.generator, isFrozen: (name: string) => name === "gen.2.weight" };
    const frozen = { ...design, networks: { ...design.networks, generator } };
    const feeds = feedsOf(["x", "z_d", "z_g"], 0, 1);
    const [with_, without] = [await stateAfter(frozen, feeds), await stateAfter(design, feeds)];
    const { parameters } = declarationsOf(generator);
    for (const state of ["generator/parameters", "generator/first_moment", "generator/second_moment"]) {
      const [a, b, before] = [with_, without, start].map((tensors) => floatsIn(tensors, state));
      for (const { offset, size, frozen } of parameters) {
        const part = [offset, offset + size] as const;
        expect(a.slice(...part)).toEqual((frozen ? before : b).slice(...part));
      }
    }
    expect(floatsIn(with_, "generator/parameters")).not.toEqual(floatsIn(without, "generator/parameters"));
  });

  test("is the same to the bit, however many are made in one run", async () => {
    const names = ["x", "z_d", "z_g"];
    const together = await stateAfter(design, feedsOf(names));
    const single = [0, 1, 2, 3].map((step) => feedsOf(names, step, 1));
    expect(await stateAfter(design, ...single)).toEqual(together);
    expect(await stateAfter(design, feedsOf(names, 0, 3), feedsOf(names, 3))).toEqual(together);
  });
});

type Graph = Model["graph"];

/** A graph and those in its nodes: bodies of loops, branches of conditions. */
const withBodies = (graph: Graph): Graph[] => [
  graph,
  ...graph.nodes.flatMap(({ bodies = {} }) => Object.values(bodies).flatMap(withBodies)),
];

test.each(recipeNames)("%s: no node of a step does what another one does", (recipe) => {
  const [, ...bodies] = withBodies(buildStepGraph(designed(recipe), about).model.graph);
  const works = bodies.map(({ nodes }) =>
    nodes.map(({ type, inputs, attributes, outputs, bodies: inner }) =>
      JSON.stringify([type, inputs, attributes, outputs.length, inner && outputs]),
    ),
  );
  expect(works.flat().length).toBeGreaterThan(100);
  for (const work of works) {
    const again = work.filter((node, i) => work.indexOf(node) < i);
    // Each output of a branch has a node of its own, also where two are the same constant.
    expect(again.filter((node) => !node.startsWith('["Identity"'))).toEqual([]);
  }
});
