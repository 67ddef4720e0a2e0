import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { build, constant, input, reshape, type Value } from "../../src/graph/index.js";
import { bind, declarationsOf, type Network } from "../../src/networks/index.js";
import { encodeModel } from "../../src/onnx/index.js";
import { type Design, recipes } from "../../src/recipes/index.js";
import { designFrom } from "../../src/runs/design.js";
import { Session } from "../../src/runtime/session.node.js";
import type { TensorData, Tensors } from "../../src/tensors/tensor.js";
import { initialState, namedTensors } from "../../src/training/state.js";
import { buildTraining } from "../../src/training/training-model.js";
import { grey, randomFeeds } from "../helpers/recipes.js";
import { about } from "../helpers/run.js";

const image = grey(4);
const recipe = "wgan-gp";
const settings = recipes[recipe].settings.parse({ latent: 5, width: 8, depth: 1, critics: 2 });
const own = (await designFrom({ run: { recipe }, recipe: settings }, image)).design;

/** A network of a design with its weights from a state, as an ONNX file of its own names. */
function asFile(design: Design, name: string, state: Tensors, size: number): Uint8Array {
  const network = design.networks[name] as Network<(x: Value) => Value>;
  const weights = new Map(
    [...namedTensors(design, name, state)].map(([key, { dtype, shape, data }]) => [
      key,
      constant(dtype, shape, data, key),
    ]),
  );
  const x = input("in", "float32", ["N", size]);
  const given = { training: false, buffers: new Map(), derived: (_: string, make: () => Value) => make() };
  const y = bind(network, weights, given).forward(x);
  return encodeModel(build(about, { inputs: [x], outputs: { out: reshape(y, ["N", y.shape[1]]) } }));
}

const folder = await mkdtemp(join(tmpdir(), "gan-onnx-design-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
const network = { generator: join(folder, "g.onnx"), discriminator: join(folder, "d.onnx") };
const start = initialState(own, 3);
await writeFile(network.generator, asFile(own, "generator", start, 5));
await writeFile(network.discriminator, asFile(own, "discriminator", start, 16));

const numbers = (data: TensorData | undefined) => Array.from(data ?? [], Number);

async function trained(design: Design): Promise<Tensors> {
  const session = await Session.open(buildTraining(design).train, { ep: "cpu", threads: 1 }, "train.onnx");
  try {
    await session.setState(initialState(design, 9));
    await session.run(randomFeeds(design, image, 3, 6));
    return await session.getState();
  } finally {
    await session.close();
  }
}

test("networks from files train as the same networks written here, to second order", async () => {
  const { design, files } = await designFrom({ run: { recipe, network }, recipe: settings }, image);
  expect([...files.keys()].sort()).toEqual(["discriminator", "generator"]);
  const ours = await (async () => {
    const session = await Session.open(buildTraining(own).train, { ep: "cpu", threads: 1 }, "train.onnx");
    try {
      await session.setState(start);
      await session.run(randomFeeds(own, image, 3, 6));
      return await session.getState();
    } finally {
      await session.close();
    }
  })();
  const theirs = await trained(design);
  for (const name of Object.keys(own.networks)) {
    const learnt = namedTensors(design, name, theirs);
    for (const [tensor, { data }] of namedTensors(own, name, ours)) {
      const found = numbers(learnt.get(tensor)?.data);
      const before = numbers(namedTensors(own, name, start).get(tensor)?.data);
      expect(found.length, tensor).toBe(data.length);
      numbers(data).forEach((value, i) => {
        expect(found[i], tensor).toBeCloseTo(value, 6);
      });
      // The bias of the last layer of a critic leaves with the difference of its opinions.
      if (tensor !== "dis.2.bias") expect(numbers(data), `${name}.${tensor} learns`).not.toEqual(before);
    }
  }
});

test("--freeze keeps what matches, in any network", async () => {
  const freeze = ["generator.gen.0.*", "*.bias"];
  const { design } = await designFrom({ run: { recipe, freeze }, recipe: settings }, image);
  const frozen = Object.entries(design.networks).flatMap(([name, definition]) =>
    declarationsOf(definition).parameters.flatMap((each) => (each.frozen ? [`${name}.${each.name}`] : [])),
  );
  expect(frozen).toEqual([
    "generator.gen.0.weight",
    "generator.gen.0.bias",
    "generator.gen.2.bias",
    "discriminator.dis.0.bias",
    "discriminator.dis.2.bias",
  ]);
});

test.each([
  [
    { freeze: ["encoder.*"] },
    'freeze: no parameter matches "encoder.*"; choose among generator.gen.0.weight',
  ],
  [
    { network: { critic: network.generator } },
    "network: a file cannot take the place of the network critic of the recipe wgan-gp; name one of generator, discriminator",
  ],
  [{ network: { generator: join(folder, "none.onnx") } }, "none.onnx"],
  [{ network: { generator: network.discriminator } }, "no input takes 5 numbers for each sample"],
])("%j is refused", async (run, message) => {
  await expect(designFrom({ run: { recipe, ...run }, recipe: settings }, image)).rejects.toThrow(message);
});
