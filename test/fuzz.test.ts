import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { resolveConfig } from "../src/config.js";
import { parseIdx } from "../src/data/idx.js";
import { GanOnnxError } from "../src/error.js";
import { readGenerator } from "../src/export/description.js";
import { build, constant, gemm, input, reshape } from "../src/graph/index.js";
import { encodeModel, readModel } from "../src/onnx/index.js";
import { decodeOrtCheckpoint, encodeOrtCheckpoint } from "../src/ort-training/checkpoint.js";
import { decodeSafetensors, encodeSafetensors } from "../src/tensors/safetensors.js";
import { decodeCheckpoint, encodeCheckpoint } from "../src/training/checkpoint.js";
import { initialState } from "../src/training/state.js";
import { formats, producer } from "../src/version.js";
import { tinyDesign, tinyImage } from "./helpers/design.js";

/**
 * Cases for each reader: a sample unless `FUZZ=10000` asks for more.
 */
const numRuns = Number(process.env.FUZZ ?? 150);

const vector = { dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) } as const;
const position = { recipe: "vanilla", seed: 9, epoch: 3, step: 17, images: 450, ...tinyImage };

function generator(): Uint8Array<ArrayBuffer> {
  const z = input("z", "float32", ["batch", 2]);
  const image = reshape(gemm(z, constant("float32", [2, 4], new Float32Array(8).fill(0.5))), [
    "batch",
    1,
    2,
    2,
  ]);
  const metadata = { format: formats.generator, latent: "2", range: "[-1,1]" };
  return encodeModel(build({ name: "g", doc: "", producer, metadata }, { inputs: [z], outputs: { image } }));
}

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
  "ONNX file": { whole: generator(), read: (bytes) => readModel(bytes, { source: "file" }) },
};

/** A file with some bytes changed, cut off, doubled or put in; or any bytes at all. */
function damaged(whole: Uint8Array<ArrayBuffer>): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const at = fc.nat(whole.length - 1);
  const change = fc.oneof(
    fc.record({ kind: fc.constant("byte" as const), at, value: fc.nat(255) }),
    fc.record({ kind: fc.constant("cut" as const), at, value: fc.nat(64) }),
    fc.record({ kind: fc.constant("double" as const), at, value: fc.nat(64) }),
    fc.record({
      kind: fc.constant("number" as const),
      at,
      value: fc.constantFrom(0, 1, 0x7fffffff, 0xffffffff),
    }),
  );
  const changed = fc.array(change, { minLength: 1, maxLength: 6 }).map((changes) => {
    let bytes = [...whole];
    for (const { kind, at, value } of changes) {
      if (kind === "byte") bytes[at % bytes.length] = value;
      if (kind === "cut") bytes.splice(at, value);
      if (kind === "double") bytes = [...bytes.slice(0, at + value), ...bytes.slice(at)];
      if (kind === "number")
        for (let i = 0; i < 4; i++) bytes[(at + i) % bytes.length] = (value >>> (8 * i)) & 255;
      if (bytes.length === 0) bytes.push(0);
    }
    return Uint8Array.from(bytes);
  });
  const any = fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes));
  return fc.oneof({ arbitrary: changed, weight: 9 }, { arbitrary: any, weight: 1 });
}

/** What may happen: it is read, or refused by one printable line that names the file. */
async function readOrRefused(read: () => unknown): Promise<void> {
  try {
    await read();
  } catch (error) {
    expect(error).toBeInstanceOf(GanOnnxError);
    const { message } = error as GanOnnxError;
    expect(message.length).toBeLessThan(7000);
    expect(message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]/u);
  }
}

afterAll(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
});

describe.each(Object.entries(readers))("%s", (_, { whole, read }) => {
  test("is read whole", async () => {
    await read(whole);
  });

  test("with damage is read, or refused by one line", async () => {
    await fc.assert(
      fc.asyncProperty(damaged(whole), (bytes) => readOrRefused(() => read(bytes))),
      { numRuns },
    );
  }, 3_600_000);
});

test("a configuration of anything is read, or refused by one line", async () => {
  const file = (settings: Record<string, unknown>) => ({ path: "config.json", settings });
  const keys = fc.oneof(
    fc.constantFrom("recipe", "data", "epochs", "latent", "__proto__", "constructor"),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(keys, fc.jsonValue()), (settings) =>
      readOrRefused(() => resolveConfig({}, file(settings))),
    ),
    { numRuns },
  );
}, 3_600_000);

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
