import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { resolveConfig } from "../src/config.js";
import { parseIdx } from "../src/data/idx.js";
import { GanOnnxError } from "../src/error.js";
import { checkRecord } from "../src/evaluation/trajectory.node.js";
import { describeAny } from "../src/export/any-generator.js";
import { readGenerator } from "../src/export/description.js";
import { add, build, cast, constant, expand, gemm, input, mean, reshape } from "../src/graph/index.js";
import { encodeModel, readModel } from "../src/onnx/index.js";
import { decodeOrtCheckpoint, encodeOrtCheckpoint } from "../src/ort-training/checkpoint.js";
import { runsOf } from "../src/sweeps/plan.js";
import { decodeSafetensors, encodeSafetensors } from "../src/tensors/safetensors.js";
import { decodeCheckpoint, encodeCheckpoint } from "../src/training/checkpoint.js";
import { initialState } from "../src/training/state.js";
import { buildStepGraph } from "../src/training/step-graph.js";
import { formats, producer } from "../src/version.js";
import { tinyDesign, tinyImage } from "./helpers/design.js";
import { damaged, everyCase, expectUnharmed, PATIENCE } from "./helpers/fuzz.js";
import { recordTrajectory } from "./helpers/record.js";

const vector = { dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) } as const;
const position = { recipe: "vanilla", seed: 9, epoch: 3, step: 17, images: 450, ...tinyImage };

/** A generator that says how large it is; no weights come with it. */
function generator({ latent = 2, side = 2, classes = 0 } = {}): Uint8Array<ArrayBuffer> {
  const z = input("z", "float32", ["batch", latent]);
  const label = input("label", "int64", ["batch"]);
  const one = mean(z, [1]);
  const all = classes > 0 ? add(one, cast(label, { to: "float32" })) : one;
  const image = expand(reshape(all, ["batch", 1, 1, 1]), ["batch", 1, side, side]);
  const metadata = {
    ...{ format: formats.generator, latent: String(latent), range: "[-1,1]" },
    ...(classes > 0 && { classes: String(classes) }),
  };
  const inputs = classes > 0 ? [z, label] : [z];
  return encodeModel(build({ name: "g", doc: "", producer, metadata }, { inputs, outputs: { image } }));
}

/** The same without metadata, of another program: a matrix product, and names of its own. */
function foreign(): Uint8Array<ArrayBuffer> {
  const noise = input("noise", "float32", ["n", 2]);
  const pixels = gemm(noise, constant("float32", [2, 4], new Float32Array(8).fill(0.5)));
  const about = { name: "g", doc: "", producer: { name: "other", version: "1" } };
  return encodeModel(build(about, { inputs: [noise], outputs: { pixels: reshape(pixels, ["n", 1, 2, 2]) } }));
}

const design = tinyDesign();
const graph = buildStepGraph(design, { name: "step", doc: "", producer });

const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8);

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

type Read = (bytes: Uint8Array<ArrayBuffer>) => unknown;

const readers: Readonly<Record<string, { whole: Uint8Array<ArrayBuffer>; read: Read }>> = {
  IDX: { whole: idx, read: (bytes) => parseIdx(bytes, "file", 3) },
  "gzipped IDX": { whole: await gzip(idx), read: (bytes) => parseIdx(bytes, "file", 3) },
  safetensors: {
    whole: encodeSafetensors(new Map([["w", vector]]), { by: "someone" }),
    read: (bytes) => decodeSafetensors(bytes, "file"),
  },
  checkpoint: {
    whole: encodeCheckpoint({ position, state: initialState(tinyDesign(), 9) }),
    read: (bytes) => decodeCheckpoint(bytes, "file"),
  },
  "ORT checkpoint": {
    whole: encodeOrtCheckpoint({ trained: new Map([["w", vector]]), frozen: new Map() }),
    read: (bytes) => decodeOrtCheckpoint(bytes, "file"),
  },
  generator: { whole: generator(), read: (bytes) => readGenerator(bytes, "file") },
  "generator that the page opens": { whole: generator(), read: (bytes) => describeAny(bytes, "file") },
  "generator of another program that the page opens": {
    whole: foreign(),
    read: (bytes) => describeAny(bytes, "file"),
  },
  "record of a trajectory": {
    whole: encodeSafetensors(recordTrajectory({ steps: 1, batch: 2, seed: 1 })),
    read: (bytes) => checkRecord(decodeSafetensors(bytes, "file").tensors, { design, graph, where: "file" }),
  },
  "ONNX file": { whole: generator(), read: (bytes) => readModel(bytes, { source: "file" }) },
};

afterAll(expectUnharmed);

describe.each(Object.entries(readers))("%s", (_, { whole, read }) => {
  test("is read whole", async () => {
    await read(whole);
  });

  test("with damage is read, or refused by one line", () => everyCase(damaged(whole), read), PATIENCE);
});

const keys = (...known: string[]) =>
  fc.oneof(fc.constantFrom(...known, "__proto__", "constructor", "toString"), fc.string());

test(
  "a configuration of anything is read, or refused by one line",
  () =>
    everyCase(
      fc.dictionary(keys("recipe", "data", "epochs", "latent", "network"), fc.jsonValue()),
      (settings) => resolveConfig({}, { path: "config.json", settings }),
    ),
  PATIENCE,
);

test(
  "a plan of anything is read, or refused by one line",
  () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(1, 2, 1e9, -1));
    const settings = fc.dictionary(keys("seed", "epochs", "learningRate"), value);
    const lists = fc.dictionary(keys("seed", "epochs", "learningRate"), fc.array(value, { maxLength: 5 }));
    const from = fc.record({ min: value, max: value, scale: value, choices: value }, { requiredKeys: [] });
    const drawn = fc.dictionary(keys("seed", "epochs", "learningRate"), fc.oneof(from, value));
    const random = fc.record({ count: value, seed: value, settings: drawn }, { requiredKeys: [] });
    const plan = fc.record(
      {
        settings: fc.oneof(settings, value),
        grid: fc.oneof(lists, value),
        list: fc.oneof(fc.array(settings, { maxLength: 5 }), value),
        random: fc.oneof(random, value),
      },
      { requiredKeys: [] },
    );
    return everyCase(fc.oneof({ arbitrary: plan, weight: 9 }, fc.jsonValue()), (plan) =>
      runsOf(plan, "plan.json"),
    );
  },
  PATIENCE,
);

test.each([
  ["a latent", { latent: 1e9 }, "has a latent of 1000000000 numbers; the most is 1048576"],
  ["images", { side: 100_000 }, "has images of 10000000000 numbers (1x100000x100000); the most is 67108864"],
  ["classes", { classes: 1e8 }, "has 100000000 classes; the most is 65536"],
])("a model that asks for %s too large is refused before anything is made", (_, size, message) => {
  const model = generator(size);
  expect(() => readGenerator(model, "file")).toThrow(message);
  expect(() => describeAny(model, "file")).toThrow(message);
});

test("what files say goes into messages escaped and cut", () => {
  const name = `\u001b[31mred\n${"x".repeat(1_000_000)}\u202e`;
  const error = new GanOnnxError({ what: `tensor ${name} is odd`, where: "f\u009b.onnx", fix: "rename it" });
  expect(error.message).toMatch(
    /^f\\u009b\.onnx: tensor \\u001b\[31mred\\nx+… \(\d+ characters more\); rename it$/,
  );
});

test("a gzip bomb is refused once it is larger than its header allows", async () => {
  const bomb = new Uint8Array(200_000_000);
  bomb.set(idx);
  const packed = await gzip(bomb);
  await expect(parseIdx(packed, "bomb.gz", 3)).rejects.toThrow(
    /bomb\.gz: unpacks to more than the \d+ bytes/,
  );
});
